/**
 * Posts what bcns_note wrote down to the integration's receiver, and deletes it once it was taken.
 *
 * Put here how notes are merged and sent. A note is deleted only after the receiver's 200, so that an outage
 * of the receiver delays what changed and loses nothing; sent twice, it costs the integration one more read.
 *
 * @NApiVersion 2.1
 * @NScriptType ScheduledScript
 * @NModuleScope SameAccount
 */
define(["N/https", "N/log", "N/record", "N/runtime", "N/search"], (https, log, record, runtime, search) => {
  const TYPE = "customrecord_bcns_event";
  const BODY = "custrecord_bcns_event_body";
  // Deleting a row takes 4 units of the 10,000 that a run has, sending takes 10.
  const ROWS_AT_ONCE = 200;
  const UNITS_PER_ROUND = 1000;
  // The receiver takes no more ids in one call.
  const IDS_AT_ONCE = 1000;

  const nextRows = () =>
    search
      .create({ type: TYPE, columns: [search.createColumn({ name: "internalid", sort: search.Sort.ASC }), BODY] })
      .run()
      .getRange({ start: 0, end: ROWS_AT_ONCE });

  const merged = (rows) => {
    const byRecord = new Map();
    for (const row of rows) {
      const note = JSON.parse(row.getValue({ name: BODY }));
      const [name, ids] = note.items ? ["items", note.items] : [note.record, note.ids];
      if (!byRecord.has(name)) byRecord.set(name, new Set());
      ids.forEach((id) => byRecord.get(name).add(id));
    }
    const bodies = [];
    for (const [name, all] of byRecord) {
      const ids = [...all];
      for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
        const part = ids.slice(start, start + IDS_AT_ONCE);
        bodies.push(name === "items" ? { items: part } : { record: name, ids: part });
      }
    }
    return bodies;
  };

  const send = (url, secret, body) => {
    const response = https.post({
      url,
      // The secret's value never reaches this script: NetSuite puts it in on the way out.
      headers: {
        "Content-Type": "application/json",
        Authorization: https.createSecureString({ input: `Bearer {${secret}}` }),
      },
      body: JSON.stringify(body),
    });
    // 400 is a mistake in these scripts, and sent again it stays one; the log keeps it for their author.
    if (response.code === 400) {
      log.error({ title: "BCNS: the receiver does not understand", details: response.body });
      return true;
    }
    if (response.code !== 200) {
      log.error({ title: "BCNS: the receiver did not take it", details: `HTTP ${response.code}` });
      return false;
    }
    return true;
  };

  const execute = () => {
    const script = runtime.getCurrentScript();
    const url = script.getParameter({ name: "custscript_bcns_url" });
    const secret = script.getParameter({ name: "custscript_bcns_secret" });
    let rows = nextRows();
    while (rows.length && script.getRemainingUsage() > UNITS_PER_ROUND) {
      // What was not taken stays, and the regular deployment tries again.
      if (!merged(rows).every((body) => send(url, secret, body))) return;
      rows.forEach((row) => record.delete({ type: TYPE, id: row.id }));
      rows = nextRows();
    }
  };

  return { execute };
});

/**
 * After a save, writes down which items and fulfilments changed, and wakes the script that sends it.
 *
 * Put here which records matter. Nothing is sent from here: an outside call would make every save wait for it.
 * What goes wrong is logged and never shown to who saves: the integration polls as well, so a lost note costs
 * minutes, and a save that failed costs a parcel.
 *
 * @NApiVersion 2.1
 * @NScriptType UserEventScript
 * @NModuleScope SameAccount
 */
define(["N/log", "N/record", "N/task"], (log, record, task) => {
  // Where the item of each line stands, by type of transaction.
  const LINES = {
    itemfulfillment: ["item"],
    itemreceipt: ["item"],
    salesorder: ["item"],
    inventoryadjustment: ["inventory"],
    inventorytransfer: ["inventory"],
  };
  // A text area holds 4,000 characters: 250 ids of up to 12 digits, and what stands around them.
  const IDS_PER_NOTE = 250;

  const itemsOf = (saved, sublists) => {
    const found = new Set();
    for (const sublistId of sublists) {
      const lines = saved ? saved.getLineCount({ sublistId }) : 0;
      for (let line = 0; line < lines; line += 1) {
        const item = saved.getSublistValue({ sublistId, fieldId: "item", line });
        if (item) found.add(Number(item));
      }
    }
    return found;
  };

  const notesOf = (context) => {
    const saved = context.newRecord || context.oldRecord;
    const type = String(saved.type).toLowerCase();
    if (!(type in LINES)) return [{ record: type, ids: [Number(saved.id)] }];
    // The lines as they were count too: one that was removed has freed its stock.
    const items = [
      ...new Set([...itemsOf(context.newRecord, LINES[type]), ...itemsOf(context.oldRecord, LINES[type])]),
    ];
    const notes = [];
    for (let start = 0; start < items.length; start += IDS_PER_NOTE) {
      notes.push({ items: items.slice(start, start + IDS_PER_NOTE) });
    }
    if (type === "itemfulfillment") notes.push({ record: type, ids: [Number(saved.id)] });
    return notes;
  };

  const write = (note) => {
    const row = record.create({ type: "customrecord_bcns_event" });
    row.setValue({ fieldId: "custrecord_bcns_event_body", value: JSON.stringify(note) });
    row.save({ ignoreMandatoryFields: true });
  };

  const wake = () => {
    try {
      task
        .create({
          taskType: task.TaskType.SCHEDULED_SCRIPT,
          scriptId: "customscript_bcns_send",
          deploymentId: "customdeploy_bcns_send_now",
        })
        .submit();
    } catch (error) {
      // It waits or runs already, and will find this note too, or else the regular deployment does.
      log.debug({ title: "BCNS: not woken", details: error.name });
    }
  };

  const afterSubmit = (context) => {
    try {
      const notes = notesOf(context);
      notes.forEach(write);
      if (notes.length) wake();
    } catch (error) {
      log.error({ title: "BCNS: a change was not noted", details: `${error.name}: ${error.message}` });
    }
  };

  return { afterSubmit };
});

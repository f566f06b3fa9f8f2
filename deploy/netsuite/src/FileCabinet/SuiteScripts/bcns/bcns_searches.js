/**
 * Makes the saved searches that finance reads beside `bcns report`, each once: what is there is left as it is.
 *
 * Put definitions of searches here. SDF deploys a saved search only as NetSuite itself exported it, so a script makes
 * them; afterwards they are edited, shared and exported like any other.
 *
 * @NApiVersion 2.1
 * @NScriptType ScheduledScript
 * @NModuleScope SameAccount
 */
define(["N/log", "N/runtime", "N/search"], (log, runtime, search) => {
  // A record without external id is nobody's of ours; `like` of nothing would be neither true nor false.
  const OURS = (prefix) => `formulanumeric: CASE WHEN {externalid} LIKE '${prefix}%' THEN 1 ELSE 0 END`;
  const NOT_OURS = "formulanumeric: CASE WHEN {externalid} LIKE 'psp-%' OR {externalid} LIKE 'bc-%' THEN 1 ELSE 0 END";
  const GROUP = "GROUP";
  const SUM = "SUM";

  const definitions = ({ clearing, tax }) => [
    {
      id: "customsearch_bcns_payout_bank",
      title: "BCNS: payouts against the bank",
      filters: [["type", "anyof", "Journal"], "AND", [OURS("psp-"), "equalto", "1"], "AND", ["accounttype", "anyof", "Bank"],
        "AND", ["account", "noneof", ...clearing]],
      columns: ["trandate", "tranid", "externalid", "account", "currency", "debitamount", "creditamount", "status", "cleared", "memo"],
    },
    {
      id: "customsearch_bcns_clearing",
      title: "BCNS: clearing accounts by period and type",
      filters: [["account", "anyof", ...clearing], "AND", ["posting", "is", "T"]],
      columns: [
        { name: "account", summary: GROUP },
        { name: "postingperiod", summary: GROUP },
        { name: "type", summary: GROUP },
        { name: "debitamount", summary: SUM },
        { name: "creditamount", summary: SUM },
        { name: "amount", summary: SUM },
      ],
    },
    {
      id: "customsearch_bcns_tax",
      title: "BCNS: tax by period",
      filters: [["account", "anyof", ...tax], "AND", ["posting", "is", "T"], "AND", [OURS("bc-"), "equalto", "1"]],
      columns: [
        { name: "postingperiod", summary: GROUP },
        { name: "account", summary: GROUP },
        { name: "type", summary: GROUP },
        { name: "amount", summary: SUM },
      ],
    },
    {
      id: "customsearch_bcns_foreign_journals",
      title: "BCNS: journals on clearing that are not ours",
      filters: [["type", "anyof", "Journal"], "AND", ["account", "anyof", ...clearing], "AND", [NOT_OURS, "equalto", "0"]],
      columns: ["trandate", "tranid", "externalid", "account", "currency", "debitamount", "creditamount", "status", "memo"],
    },
  ];

  const accounts = (name) => {
    const said = runtime.getCurrentScript().getParameter({ name }) || "";
    const found = said.split(",").map((one) => one.trim()).filter(Boolean);
    if (!found.length || found.some((one) => !/^\d+$/.test(one))) {
      throw new Error(`${name} is '${said}'; write the internal ids of accounts, with commas between them.`);
    }
    return found;
  };

  const isThere = (id) => {
    try {
      search.load({ id });
      return true;
    } catch (error) {
      // Which error it is differs; where it is there all the same, saving fails and is told of.
      return false;
    }
  };

  const execute = () => {
    const wanted = definitions({ clearing: accounts("custscript_bcns_clearing"), tax: accounts("custscript_bcns_tax") });
    for (const one of wanted) {
      if (isThere(one.id)) continue;
      try {
        search.create({ type: search.Type.TRANSACTION, ...one }).save();
        log.audit({ title: "BCNS: made", details: one.id });
      } catch (error) {
        log.error({ title: `BCNS: ${one.id} was not made`, details: String(error.message || error) });
      }
    }
  };

  return { execute };
});

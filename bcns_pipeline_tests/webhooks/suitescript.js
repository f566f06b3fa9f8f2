// Runs the scripts of deploy/netsuite outside NetSuite, with stand-ins for its modules that keep to what its
// documentation says. Reads a scenario as JSON from standard input, writes what happened to standard output:
// {"saves": [{"type", "newRecord", "oldRecord"}], "codes": [200, ...], "broken": "save" | "submit" | null}
"use strict";
const fs = require("fs");
const path = require("path");

const [folder] = process.argv.slice(2);
const scenario = JSON.parse(fs.readFileSync(0, "utf8"));
const rows = new Map();
const happened = { posts: [], wakes: 0, errors: [], thrown: null, rows: [] };
let units = 10000;
let serial = 0;

const failing = (name) => Object.assign(new Error(name), { name });
const modules = {
  "N/log": { debug: () => {}, error: (entry) => happened.errors.push(entry) },
  "N/record": {
    create: () => {
      const row = {};
      return {
        setValue: ({ value }) => {
          if (value.length > 4000) throw failing("EXCEEDED_MAX_FIELD_LENGTH");
          row.body = value;
        },
        save: () => {
          if (scenario.broken === "save") throw failing("UNEXPECTED_ERROR");
          rows.set(String(++serial), row);
        },
      };
    },
    delete: ({ id }) => {
      units -= 4;
      rows.delete(id);
    },
  },
  "N/task": {
    TaskType: { SCHEDULED_SCRIPT: "SCHEDULED_SCRIPT" },
    create: () => ({
      submit: () => {
        if (scenario.broken === "submit") throw failing("FAILED_TO_SUBMIT_JOB_REQUEST_1");
        happened.wakes += 1;
      },
    }),
  },
  "N/https": {
    createSecureString: ({ input }) => ({ input }),
    post: ({ url, headers, body }) => {
      units -= 10;
      happened.posts.push({ url, authorization: headers.Authorization.input, body: JSON.parse(body) });
      return { code: scenario.codes.length ? scenario.codes.shift() : 200, body: '{"error": "why"}' };
    },
  },
  "N/runtime": {
    getCurrentScript: () => ({
      getParameter: ({ name }) =>
        ({ custscript_bcns_url: "https://hooks.test/events/netsuite", custscript_bcns_secret: "custsecret_bcns_event_token" })[name],
      getRemainingUsage: () => units,
    }),
  },
  "N/search": {
    Sort: { ASC: "ASC" },
    createColumn: (column) => column,
    create: () => ({
      run: () => ({
        getRange: ({ start, end }) =>
          [...rows].slice(start, end).map(([id, row]) => ({ id, getValue: () => row.body })),
      }),
    }),
  },
};

const load = (name) => {
  let script;
  global.define = (names, factory) => {
    script = factory(...names.map((one) => modules[one]));
  };
  require(path.join(folder, name));
  return script;
};

// A record as a user event sees it: {"id", "type", "lines": {"item": [12, 13]}}.
const record = (data) =>
  data && {
    id: data.id,
    type: data.type,
    getLineCount: ({ sublistId }) => (data.lines[sublistId] || []).length,
    getSublistValue: ({ sublistId, line }) => String(data.lines[sublistId][line]),
  };

const note = load("bcns_note.js");
try {
  for (const save of scenario.saves) {
    note.afterSubmit({ type: save.type, newRecord: record(save.newRecord), oldRecord: record(save.oldRecord) });
  }
  load("bcns_send.js").execute();
} catch (error) {
  happened.thrown = error.message;
}
happened.rows = [...rows.values()].map((row) => JSON.parse(row.body));
process.stdout.write(JSON.stringify(happened));

// Runs bcns_searches outside NetSuite: which searches it makes. Reads {"clearing", "tax", "there": [ids], "refused": id}.
"use strict";
const fs = require("fs");
const path = require("path");

const [folder] = process.argv.slice(2);
const scenario = JSON.parse(fs.readFileSync(0, "utf8"));
const happened = { made: [], errors: [], thrown: null };
const modules = {
  "N/log": { audit: () => {}, error: (entry) => happened.errors.push(entry) },
  "N/runtime": {
    getCurrentScript: () => ({
      getParameter: ({ name }) => ({ custscript_bcns_clearing: scenario.clearing, custscript_bcns_tax: scenario.tax })[name],
    }),
  },
  "N/search": {
    Type: { TRANSACTION: "transaction" },
    load: ({ id }) => {
      if (!scenario.there.includes(id)) throw new Error("That search or mass update does not exist.");
    },
    create: (definition) => ({
      save: () => {
        if (definition.id === scenario.refused) throw new Error("An nlobjSearchFilter contains an invalid operator.");
        happened.made.push(definition);
      },
    }),
  },
};
global.define = (names, factory) => {
  global.script = factory(...names.map((one) => modules[one]));
};
require(path.join(folder, "bcns_searches.js"));
try {
  global.script.execute();
} catch (error) {
  happened.thrown = error.message;
}
process.stdout.write(JSON.stringify(happened));

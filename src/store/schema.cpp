// SPDX-License-Identifier: Apache-2.0
#include "src/store/schema.h"

namespace faultwave {

const char* const kSchema = R"sql(
PRAGMA application_id = 0x46774176;
PRAGMA user_version = 5;

CREATE TABLE campaign (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE criteria (
  bit  INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  text TEXT NOT NULL
);

CREATE TABLE sites (
  site        INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  name        TEXT NOT NULL,
  op          TEXT NOT NULL,
  dtype       TEXT NOT NULL,
  shape       TEXT NOT NULL,
  value_count INTEGER NOT NULL,
  bits        INTEGER NOT NULL,
  channel_axis INTEGER NOT NULL,
  probability REAL NOT NULL
);

CREATE TABLE choices (
  choice INTEGER PRIMARY KEY,
  text   TEXT NOT NULL
);

CREATE TABLE strata (
  stratum      INTEGER PRIMARY KEY,
  name         TEXT NOT NULL,
  site         INTEGER NOT NULL REFERENCES sites,
  first_choice INTEGER NOT NULL,
  choices      INTEGER NOT NULL,
  weight       REAL NOT NULL,
  kind           INTEGER NOT NULL,
  neuron_classes INTEGER NOT NULL,
  first_level    INTEGER NOT NULL,
  levels         INTEGER NOT NULL
);

CREATE TABLE neuron_inputs (
  position INTEGER PRIMARY KEY,
  input    INTEGER NOT NULL,
  level    INTEGER NOT NULL
);

CREATE TABLE neuron_classes (
  position INTEGER NOT NULL REFERENCES neuron_inputs,
  site     INTEGER NOT NULL REFERENCES sites,
  classes  BLOB NOT NULL,
  PRIMARY KEY (position, site)
) WITHOUT ROWID;

CREATE TABLE fault_list (
  line  INTEGER PRIMARY KEY,
  fault TEXT NOT NULL
);

CREATE TABLE labels (
  input INTEGER PRIMARY KEY,
  label INTEGER NOT NULL
);

CREATE TABLE eligible_inputs (
  input INTEGER PRIMARY KEY
);

CREATE TABLE rounds (
  round       INTEGER PRIMARY KEY,
  first_trial INTEGER NOT NULL,
  trials      INTEGER NOT NULL,
  shares      TEXT NOT NULL
);

CREATE TABLE blocks (
  block       INTEGER PRIMARY KEY,
  round       INTEGER NOT NULL REFERENCES rounds,
  first_trial INTEGER NOT NULL,
  trials      INTEGER NOT NULL,
  done        INTEGER NOT NULL,
  outcomes    BLOB NOT NULL,
  decided_again INTEGER NOT NULL,
  audited       INTEGER NOT NULL
);

CREATE TABLE golden_classes (
  input INTEGER PRIMARY KEY,
  class INTEGER NOT NULL
);

CREATE TABLE cells (
  round   INTEGER NOT NULL REFERENCES rounds,
  stratum INTEGER NOT NULL,
  site    INTEGER NOT NULL REFERENCES sites,
  choice  INTEGER NOT NULL REFERENCES choices,
  outcome TEXT NOT NULL,
  trials  INTEGER NOT NULL,
  PRIMARY KEY (round, stratum, site, choice, outcome)
) WITHOUT ROWID;

CREATE VIEW tallies AS
  SELECT site, outcome, sum(trials) AS trials FROM cells GROUP BY site, outcome;

CREATE TABLE trials (
  trial              INTEGER PRIMARY KEY,
  input              INTEGER NOT NULL,
  fault              TEXT NOT NULL,
  site               INTEGER NOT NULL REFERENCES sites,
  choice             INTEGER NOT NULL REFERENCES choices,
  victim             TEXT NOT NULL,
  value_before       REAL,
  value_after        REAL,
  bits_before        INTEGER NOT NULL,
  bits_after         INTEGER NOT NULL,
  forwards           INTEGER NOT NULL,
  hits               INTEGER NOT NULL,
  outcome            TEXT NOT NULL 
                     CHECK (outcome IN ('masked', 'benign', 'sdc', 'due', 'crash', 'hang')),
  fired              INTEGER NOT NULL,
  crash              TEXT,
  label              INTEGER,
  golden_class       INTEGER,
  golden_probability REAL,
  faulty_class       INTEGER,
  faulty_probability REAL
);

CREATE VIEW results AS
  SELECT trial, input, fault, sites.kind AS kind, sites.name AS site, victim, dtype,
         value_before, value_after, bits_before, bits_after, forwards, hits, outcome,
         (SELECT group_concat(name, ' ') FROM (SELECT name FROM criteria WHERE fired >> bit & 1 ORDER BY bit))
           AS criteria,
         crash, label, golden_class, golden_probability, faulty_class, faulty_probability
  FROM trials JOIN sites USING (site);
)sql";

}  // namespace faultwave

// SPDX-License-Identifier: Apache-2.0
#include "src/store/schema.h"

namespace faultwave {

const char* const kSchema = R"sql(
PRAGMA application_id = 0x46774176;
PRAGMA user_version = 1;

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
  probability REAL NOT NULL
);

CREATE TABLE blocks (
  block       INTEGER PRIMARY KEY,
  first_trial INTEGER NOT NULL,
  trials      INTEGER NOT NULL,
  state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
  outcomes    BLOB
);

CREATE TABLE tallies (
  site    INTEGER NOT NULL REFERENCES sites,
  outcome TEXT NOT NULL,
  trials  INTEGER NOT NULL,
  PRIMARY KEY (site, outcome)
) WITHOUT ROWID;

CREATE TABLE trials (
  trial              INTEGER PRIMARY KEY,
  input              INTEGER NOT NULL,
  fault              TEXT NOT NULL,
  site               INTEGER NOT NULL REFERENCES sites,
  victim             TEXT NOT NULL,
  value_before       REAL,
  value_after        REAL,
  bits_before        INTEGER NOT NULL,
  bits_after         INTEGER NOT NULL,
  forwards           INTEGER NOT NULL,
  hits               INTEGER NOT NULL,
  outcome            TEXT NOT NULL CHECK (outcome IN ('masked', 'benign', 'sdc', 'due')),
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

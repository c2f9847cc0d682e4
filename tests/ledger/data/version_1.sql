PRAGMA application_id = 1869638759;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE asset (
        asset_key INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        scale INTEGER NOT NULL,
        UNIQUE (code, scale)
    );
INSERT INTO "asset" VALUES(1,'USD',2);
INSERT INTO "asset" VALUES(2,'JPY',0);
INSERT INTO "asset" VALUES(3,'EUR',2);
CREATE TABLE base (base_key INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE);
INSERT INTO "base" VALUES(1,'https://rs.example/tenant/incoming-payments/');
CREATE TABLE creation (
        request_id TEXT PRIMARY KEY,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        draft_json TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        payment_id TEXT,
        error TEXT NOT NULL
    );
INSERT INTO "creation" VALUES('r-1',1,'{"walletAddress":"x"}','unknown',1795176000000000,1795176060000000,NULL,'No answer.');
CREATE TABLE cursor (
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        scope INTEGER NOT NULL,
        cursor TEXT NOT NULL,
        payment_key INTEGER NOT NULL REFERENCES payment,
        PRIMARY KEY (wallet_key, scope, cursor)
    ) WITHOUT ROWID;
INSERT INTO "cursor" VALUES(1,2,'odd',3);
INSERT INTO "cursor" VALUES(1,2,'short',1);
CREATE TABLE entry (
        entry_key INTEGER PRIMARY KEY AUTOINCREMENT,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        payment_key INTEGER NOT NULL REFERENCES payment,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        source TEXT,
        received TEXT,
        delta TEXT,
        receipt_at INTEGER,
        text TEXT NOT NULL
    );
INSERT INTO "entry" VALUES(1,1,1,1795176000000000,'first-seen','list','0240','40',1795176000000000,'');
INSERT INTO "entry" VALUES(2,1,2,1795176000000000,'first-seen','list','2018446744073709551615','18446744073709551615',1795176000000000,'');
INSERT INTO "entry" VALUES(3,1,3,1795176000000000,'first-seen','list','010',NULL,NULL,'');
INSERT INTO "entry" VALUES(4,1,3,1795176000000000,'anomaly','list',NULL,NULL,NULL,'assets-differ');
INSERT INTO "entry" VALUES(5,1,4,1795176000000000,'created','create','010',NULL,NULL,'');
INSERT INTO "entry" VALUES(6,1,1,1795176060000000,'received','get','0250','10',1795176060000000,'');
INSERT INTO "entry" VALUES(7,1,1,1795176060000000,'completed','get','0250',NULL,NULL,'');
INSERT INTO "entry" VALUES(8,1,1,1795176060000000,'metadata','get','0250',NULL,NULL,'{"externalRef": "INV-1", "description": "Lamp"}');
INSERT INTO "entry" VALUES(9,1,4,1795176060000000,'gone',NULL,'010',NULL,NULL,'');
INSERT INTO "entry" VALUES(10,1,1,1795176060000000,'completing',NULL,NULL,NULL,NULL,'');
CREATE TABLE payment (
        payment_key INTEGER PRIMARY KEY,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        base_key INTEGER NOT NULL REFERENCES base,
        segment TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        tie INTEGER NOT NULL,
        placed INTEGER NOT NULL,
        asked TEXT NOT NULL,
        asked_asset_key INTEGER REFERENCES asset,
        received TEXT NOT NULL,
        received_asset_key INTEGER NOT NULL REFERENCES asset,
        completed INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        state INTEGER NOT NULL,
        final INTEGER NOT NULL,
        needs_action INTEGER NOT NULL,
        not_completed INTEGER NOT NULL,
        next_change_at INTEGER NOT NULL,
        first_seen_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        gone_at INTEGER,
        reached_at INTEGER,
        announced INTEGER NOT NULL,
        anomalies TEXT NOT NULL,
        reference_key TEXT NOT NULL,
        description_key TEXT NOT NULL,
        reference TEXT NOT NULL,
        description TEXT NOT NULL,
        metadata TEXT NOT NULL
    );
INSERT INTO "payment" VALUES(1,1,1,'short',1795176000000000,0,1,'041000',1,'0250',1,1,1795348800000000,40,1,1,0,9223372036854775807,1795176000000000,1795176060000000,NULL,NULL,0,'','','','','','');
INSERT INTO "payment" VALUES(2,1,1,'tip',1795176000000000,-1048576,1,'',NULL,'2018446744073709551615',1,0,9223372036854775807,14,0,0,0,9223372036854775807,1795176000000000,1795176000000000,NULL,NULL,0,'','','','','','');
INSERT INTO "payment" VALUES(3,1,1,'odd',1795176000000000,-2097152,1,'015',3,'010',1,0,1795348800000000,60,0,1,0,1795435200000001,1795176000000000,1795176000000000,NULL,NULL,0,'assets-differ','','','','','');
INSERT INTO "payment" VALUES(4,1,1,'new',1795176000000000,1048576,0,'03700',1,'010',1,0,1795348800000000,61,1,0,0,1795348800000000,1795176000000000,1795176060000000,1795176060000000,NULL,0,'','','','','','');
CREATE TABLE sight (
        payment_key INTEGER PRIMARY KEY REFERENCES payment,
        last_seen_at INTEGER NOT NULL,
        scope INTEGER NOT NULL,
        sequence INTEGER NOT NULL
    );
INSERT INTO "sight" VALUES(1,1795176060000000,1,3);
INSERT INTO "sight" VALUES(2,1795176000000000,2,1);
INSERT INTO "sight" VALUES(3,1795176000000000,2,1);
INSERT INTO "sight" VALUES(4,1795176000000000,1,4);
CREATE TABLE walk (
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        scope INTEGER NOT NULL,
        cursor TEXT,
        server_has_more INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        gaps TEXT NOT NULL,
        PRIMARY KEY (wallet_key, scope)
    ) WITHOUT ROWID;
INSERT INTO "walk" VALUES(1,2,'odd',1,1795176060000000,'["short"]');
CREATE TABLE wallet (
        wallet_key INTEGER PRIMARY KEY AUTOINCREMENT,
        address TEXT NOT NULL UNIQUE,
        public_name TEXT NOT NULL,
        asset_key INTEGER NOT NULL REFERENCES asset,
        auth_server TEXT NOT NULL,
        resource_server TEXT NOT NULL,
        described_at INTEGER NOT NULL,
        watching_since INTEGER,
        last_poll_at INTEGER,
        known INTEGER NOT NULL DEFAULT 0,
        received_total TEXT NOT NULL DEFAULT '0',
        sequence INTEGER NOT NULL DEFAULT 0,
        revision INTEGER NOT NULL DEFAULT 0
    );
INSERT INTO "wallet" VALUES(1,'https://wallet.example/rosa','Rosa''s Shop',1,'https://auth.example/tenant','https://rs.example/tenant',1795176000000000,1795176000000000,1795176060000000,4,'18446744073709551665',4,6);
INSERT INTO "wallet" VALUES(2,'https://wallet.example/yen','',2,'https://auth.example/tenant','https://rs.example/tenant',1795176000000000,NULL,NULL,0,'0',0,0);
CREATE UNIQUE INDEX payment_by_id ON payment (segment, base_key, wallet_key);
CREATE INDEX payment_by_created ON payment (wallet_key, created_at, tie);
CREATE INDEX payment_by_state ON payment (wallet_key, state, created_at, tie);
CREATE INDEX payment_by_asked ON payment (wallet_key, asked, created_at, tie);
CREATE INDEX payment_by_received ON payment (wallet_key, received, created_at, tie);
CREATE INDEX payment_by_expires ON payment (wallet_key, expires_at, created_at, tie);
CREATE INDEX payment_by_reference ON payment (wallet_key, reference_key, created_at, tie);
CREATE INDEX payment_by_description ON payment (wallet_key, description_key, created_at, tie);
CREATE INDEX payment_due ON payment (wallet_key, next_change_at)
        WHERE next_change_at < 9223372036854775807;
CREATE INDEX payment_changeable ON payment (wallet_key, created_at, tie)
        WHERE final = 0;
CREATE INDEX payment_needing_action ON payment (wallet_key, created_at, tie)
        WHERE needs_action = 1;
CREATE INDEX entry_by_payment ON entry (payment_key);
CREATE INDEX entry_by_receipt ON entry (wallet_key, receipt_at)
        WHERE receipt_at IS NOT NULL;
CREATE INDEX creation_by_wallet ON creation (wallet_key, created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('wallet',2);
INSERT INTO "sqlite_sequence" VALUES('entry',10);
COMMIT;

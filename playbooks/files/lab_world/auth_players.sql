-- Accounts' access and bans, and realms' characters, for the tools about players: table shapes of TrinityCore 3.3.5,
-- rows written for the lab.
SET NAMES utf8mb4;

CREATE TABLE `account_access` (
  `AccountID` int unsigned NOT NULL,
  `SecurityLevel` tinyint unsigned NOT NULL,
  `RealmID` int NOT NULL DEFAULT '-1',
  `Comment` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`AccountID`,`RealmID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `account_banned` (
  `id` int unsigned NOT NULL DEFAULT '0',
  `bandate` int unsigned NOT NULL DEFAULT '0',
  `unbandate` int unsigned NOT NULL DEFAULT '0',
  `bannedby` varchar(50) NOT NULL,
  `banreason` varchar(255) NOT NULL,
  `active` tinyint unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (`id`,`bandate`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `realmcharacters` (
  `realmid` int unsigned NOT NULL DEFAULT '0',
  `acctid` int unsigned NOT NULL,
  `numchars` tinyint unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`realmid`,`acctid`),
  KEY `acctid` (`acctid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Personal data that no tool may ever show: a test looks for these values in every answer.
INSERT INTO `account`
  (`id`, `username`, `salt`, `verifier`, `session_key_auth`, `totp_secret`, `email`, `reg_mail`, `joindate`, `last_ip`,
   `last_attempt_ip`, `failed_logins`, `locked`, `lock_country`, `last_login`, `online`, `expansion`, `mutetime`,
   `mutereason`, `muteby`, `locale`, `os`, `recruiter`) VALUES
  (11, 'WARDEN', REPEAT('s', 32), REPEAT('v', 32), REPEAT('k', 40), 'totp-never-shown', 'never@shown.example',
   'never@registered.example', '2025-01-02 03:04:05', '203.0.113.77', '203.0.113.78', 2, 1, 'QQ',
   '2026-02-03 04:05:06', 1, 2, 0, '', '', 3, 'Win', 2),
  (12, 'LOUDMOUTH', REPEAT('s', 32), REPEAT('v', 32), NULL, NULL, 'never@shown.example', '', '2025-06-07 08:09:10',
   '203.0.113.77', '203.0.113.79', 0, 0, '00', NULL, 0, 1, 4000000000, 'Shouting in the library', 'Warden', 0, 'OSX', 0),
  (13, 'LATER', REPEAT('s', 32), REPEAT('v', 32), NULL, NULL, '', '', '2025-06-07 08:09:10', '203.0.113.77',
   '203.0.113.79', 0, 0, '00', NULL, 0, 2, -3600, 'Once more', 'Console', 8, 'Win', 0);

INSERT INTO `account_access` (`AccountID`, `SecurityLevel`, `RealmID`) VALUES (11, 2, 1), (11, 1, -1);

INSERT INTO `account_banned` (`id`, `bandate`, `unbandate`, `bannedby`, `banreason`, `active`) VALUES
  (12, 1700000000, 1700086400, 'Warden', 'Ran out', 0),
  (12, 1710000000, 1710003600, 'Warden', 'Ran out, not yet swept', 1),
  (12, 1720000000, 1720000000, 'Warden', 'For good', 1),
  (13, 1730000000, 4000000000, 'Console', 'For long', 1),
  (13, 1690000000, 1690000000, 'Console', 'Lifted', 0);

INSERT INTO `realmlist` (`id`, `name`, `address`, `port`, `icon`, `flag`, `timezone`, `allowedSecurityLevel`, `population`,
  `gamebuild`) VALUES (2, 'Lab Annex', 'annex.lab.example', 8086, 8, 66, 8, 2, 2.0, 12340);
INSERT INTO `realmcharacters` (`realmid`, `acctid`, `numchars`) VALUES (1, 1, 2), (1, 2, 1), (1, 11, 3), (1, 13, 0);
INSERT INTO `uptime` (`realmid`, `starttime`, `uptime`, `maxplayers`, `revision`) VALUES
  (2, 1789000000, 600, 1, 'TrinityCore annex'), (2, 1789001000, 30, 0, 'TrinityCore annex');

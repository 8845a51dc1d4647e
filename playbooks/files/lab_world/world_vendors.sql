-- Vendors and trainers of the lab's world: table shapes as in TrinityCore 3.3.5, rows of our own.

CREATE TABLE `game_event_npc_vendor` (
  `eventEntry` tinyint unsigned NOT NULL,
  `guid` int unsigned NOT NULL DEFAULT '0',
  `slot` smallint NOT NULL DEFAULT '0',
  `item` int unsigned NOT NULL DEFAULT '0',
  `maxcount` int unsigned NOT NULL DEFAULT '0',
  `incrtime` int unsigned NOT NULL DEFAULT '0',
  `ExtendedCost` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guid`,`item`),
  KEY `slot` (`slot`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `trainer` (
  `Id` int unsigned NOT NULL DEFAULT '0',
  `Type` tinyint unsigned NOT NULL DEFAULT '2',
  `Requirement` int unsigned NOT NULL DEFAULT '0',
  `Greeting` mediumtext,
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`Id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `trainer_spell` (
  `TrainerId` int unsigned NOT NULL DEFAULT '0',
  `SpellId` int unsigned NOT NULL DEFAULT '0',
  `MoneyCost` int unsigned NOT NULL DEFAULT '0',
  `ReqSkillLine` int unsigned NOT NULL DEFAULT '0',
  `ReqSkillRank` int unsigned NOT NULL DEFAULT '0',
  `ReqAbility1` int unsigned NOT NULL DEFAULT '0',
  `ReqAbility2` int unsigned NOT NULL DEFAULT '0',
  `ReqAbility3` int unsigned NOT NULL DEFAULT '0',
  `ReqLevel` tinyint unsigned NOT NULL DEFAULT '0',
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`TrainerId`,`SpellId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `trainer_locale` (
  `Id` int unsigned NOT NULL DEFAULT '0',
  `locale` varchar(4) NOT NULL,
  `Greeting_lang` mediumtext,
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`Id`,`locale`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `creature_default_trainer` (
  `CreatureId` int unsigned NOT NULL,
  `TrainerId` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`CreatureId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The innkeepers share two lists; the second refers back to the first.
INSERT INTO `npc_vendor` (`entry`, `slot`, `item`, `maxcount`, `incrtime`, `ExtendedCost`) VALUES
  (295, 1, -910001, 0, 0, 0), (6929, 1, -910001, 0, 0, 0), (6740, 1, -910099, 0, 0, 0),
  (910001, 0, 118, 0, 0, 0), (910001, 1, 2512, 0, 0, 0), (910001, 2, -910002, 0, 0, 0),
  (910002, 0, 5976, 2, 3600, 0), (910002, 1, 50818, 0, 0, 2749), (910002, 2, -910001, 0, 0, 0),
  -- Sold by one who has no vendor flag.
  (253, 0, 118, 0, 0, 0);
INSERT INTO `game_event_npc_vendor` (`eventEntry`, `guid`, `slot`, `item`, `maxcount`, `incrtime`, `ExtendedCost`) VALUES
  (12, 8, 0, 7974, 0, 0, 0);

INSERT INTO `creature_template` (`entry`, `modelid1`, `name`, `subname`, `minlevel`, `maxlevel`, `faction`, `npcflag`,
  `unit_class`, `type`) VALUES (913, 3344, 'Lyria Du Lac', 'Warrior Trainer', 40, 40, 12, 51, 1, 7);
INSERT INTO `trainer` (`Id`, `Type`, `Requirement`, `Greeting`) VALUES (17, 0, 1, 'Stand straight and listen, warrior.');
INSERT INTO `trainer_locale` (`Id`, `locale`, `Greeting_lang`) VALUES (17, 'deDE', 'Haltung, und zugehört!');
INSERT INTO `trainer_spell` (`TrainerId`, `SpellId`, `MoneyCost`, `ReqSkillLine`, `ReqSkillRank`, `ReqAbility1`, `ReqLevel`)
VALUES (17, 100, 100, 0, 0, 0, 4), (17, 772, 100, 0, 0, 0, 4), (17, 6343, 100, 0, 0, 0, 6), (17, 6546, 200, 0, 0, 772, 10),
  (17, 3127, 100, 95, 1, 0, 6);
INSERT INTO `creature_default_trainer` (`CreatureId`, `TrainerId`) VALUES (913, 17);

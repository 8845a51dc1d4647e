-- Loot of the lab's world: table shapes as in TrinityCore 3.3.5, rows of our own.

CREATE TABLE `creature_loot_template` (
  `Entry` int unsigned NOT NULL DEFAULT '0',
  `Item` int unsigned NOT NULL DEFAULT '0',
  `Reference` int unsigned NOT NULL DEFAULT '0',
  `Chance` float NOT NULL DEFAULT '100',
  `QuestRequired` tinyint(1) NOT NULL DEFAULT '0',
  `LootMode` smallint unsigned NOT NULL DEFAULT '1',
  `GroupId` tinyint unsigned NOT NULL DEFAULT '0',
  `MinCount` tinyint unsigned NOT NULL DEFAULT '1',
  `MaxCount` tinyint unsigned NOT NULL DEFAULT '1',
  `Comment` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`Entry`,`Item`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `disenchant_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `fishing_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `gameobject_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `item_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `mail_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `milling_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `pickpocketing_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `prospecting_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `reference_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `skinning_loot_template` LIKE `creature_loot_template`;
CREATE TABLE `spell_loot_template` LIKE `creature_loot_template`;

CREATE TABLE `mail_level_reward` (
  `level` tinyint unsigned NOT NULL DEFAULT '0',
  `raceMask` int unsigned NOT NULL DEFAULT '0',
  `mailTemplateId` int unsigned NOT NULL DEFAULT '0',
  `senderEntry` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`level`,`raceMask`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `playercreateinfo_item` (
  `race` tinyint unsigned NOT NULL DEFAULT '0',
  `class` tinyint unsigned NOT NULL DEFAULT '0',
  `itemid` int unsigned NOT NULL DEFAULT '0',
  `amount` tinyint NOT NULL DEFAULT '1',
  `Note` varchar(255) DEFAULT NULL,
  KEY `playercreateinfo_race_class_index` (`race`,`class`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `item_template`
  (`entry`, `class`, `subclass`, `name`, `displayid`, `Quality`, `BuyPrice`, `SellPrice`, `InventoryType`, `ItemLevel`,
   `stackable`, `bonding`) VALUES
  (765, 7, 9, 'Silverleaf', 7381, 1, 40, 10, 0, 5, 20, 0),
  (769, 7, 8, 'Chunk of Boar Meat', 2474, 1, 15, 3, 0, 5, 20, 0),
  (2318, 7, 6, 'Light Leather', 7382, 1, 60, 15, 0, 10, 20, 0),
  (2770, 7, 7, 'Copper Ore', 4681, 1, 20, 5, 0, 10, 20, 0),
  (2934, 7, 6, 'Ruined Leather Scraps', 6646, 0, 28, 7, 0, 5, 20, 0),
  (5523, 15, 0, 'Small Barnacled Clam', 7177, 1, 66, 16, 0, 10, 20, 0),
  (7974, 0, 5, 'Zesty Clam Meat', 2474, 1, 200, 50, 0, 30, 20, 0),
  (10940, 7, 12, 'Strange Dust', 20584, 1, 0, 0, 0, 10, 20, 0),
  (10938, 7, 12, 'Lesser Magic Essence', 20587, 2, 0, 0, 0, 10, 10, 0),
  (39151, 7, 5, 'Alabaster Pigment', 51533, 1, 0, 13, 0, 5, 20, 0),
  (774, 3, 7, 'Malachite', 7380, 2, 60, 15, 0, 7, 20, 0),
  (818, 3, 7, 'Tigerseye', 1262, 2, 100, 25, 0, 15, 20, 0),
  (6291, 15, 0, 'Raw Brilliant Smallfish', 4807, 1, 4, 1, 0, 5, 20, 0),
  (45902, 15, 0, 'Phantom Ghostfish', 43666, 1, 80, 20, 0, 45, 20, 0),
  (5976, 4, 0, 'Guild Tabard', 20621, 1, 10000, 2500, 19, 1, 1, 0);
UPDATE `item_template` SET `DisenchantID` = 41 WHERE `entry` IN (5191, 10399);
UPDATE `creature_template` SET `pickpocketloot` = 38 WHERE `entry` = 38;

-- Hogger: rows alone, a group with explicit and shared chances, a quest item, references, a row of a hard mode, and
-- one that can't drop.
INSERT INTO `creature_loot_template`
  (`Entry`, `Item`, `Reference`, `Chance`, `QuestRequired`, `LootMode`, `GroupId`, `MinCount`, `MaxCount`, `Comment`) VALUES
  (448, 752, 0, 80, 1, 1, 0, 1, 1, 'for a quest'),
  (448, 2589, 0, 45, 0, 1, 0, 1, 3, NULL),
  (448, 25, 0, 20, 0, 1, 1, 1, 1, NULL),
  (448, 35, 0, 0, 0, 1, 1, 1, 1, NULL),
  (448, 36, 0, 0, 0, 1, 1, 1, 1, NULL),
  (448, 5191, 0, 100, 0, 2, 0, 1, 1, 'hard mode'),
  (448, 118, 0, 0, 0, 1, 0, 1, 1, 'no chance, no group'),
  (448, 24000, 24000, 10, 0, 1, 0, 1, 2, 'worn things'),
  (448, 24001, 24001, 50, 0, 1, 2, 1, 1, 'only group 2'),
  (448, 24099, 24099, 5, 0, 1, 0, 1, 1, 'nothing there'),
  (6, 772, 0, 60, 1, 1, 0, 1, 1, NULL),
  (40, 772, 0, 75, 1, 1, 0, 1, 1, NULL),
  (40, 24001, 24001, 20, 0, 1, 0, 1, 1, NULL),
  (38, 752, 0, 70, 1, 1, 0, 1, 1, NULL),
  (38, 2589, 0, 30, 0, 1, 0, 1, 2, NULL),
  (69, 750, 0, 85, 1, 1, 0, 1, 1, NULL),
  (299, 750, 0, 55, 1, 1, 0, 1, 1, NULL),
  (639, 5191, 0, 0, 0, 1, 1, 1, 1, NULL),
  (639, 10399, 0, 0, 0, 1, 1, 1, 1, NULL),
  (3100, 769, 0, 35, 0, 1, 0, 1, 1, NULL),
  (10184, 18422, 0, 100, 0, 1, 0, 1, 1, 'Horde'),
  (10184, 18423, 0, 100, 0, 1, 0, 1, 1, 'Alliance'),
  (10184, 24003, 24003, 100, 0, 1, 0, 2, 2, NULL),
  (36597, 50818, 0, 1, 0, 8, 0, 1, 1, NULL),
  (36597, 49426, 0, 100, 0, 1, 0, 2, 2, NULL),
  (11502, 17182, 0, 2, 0, 1, 0, 1, 1, NULL);

INSERT INTO `reference_loot_template`
  (`Entry`, `Item`, `Reference`, `Chance`, `GroupId`, `MinCount`, `MaxCount`, `Comment`) VALUES
  (24000, 8190, 0, 0, 1, 1, 1, NULL),
  (24000, 647, 0, 5, 1, 1, 1, NULL),
  (24000, 24001, 24001, 25, 0, 1, 1, 'further down'),
  (24001, 828, 0, 12, 0, 1, 1, NULL),
  (24001, 2589, 0, 40, 1, 1, 1, NULL),
  (24001, 117, 0, 0, 2, 1, 4, NULL),
  (24001, 159, 0, 0, 2, 1, 4, NULL),
  -- 24002 refers to itself.
  (24002, 2589, 0, 50, 0, 1, 1, NULL),
  (24002, 24002, 24002, 50, 0, 1, 1, 'a circle'),
  -- Two of four, never the same twice.
  (24003, 647, 0, 0, 1, 1, 1, NULL),
  (24003, 8190, 0, 0, 1, 1, 1, NULL),
  (24003, 19019, 0, 0, 1, 1, 1, NULL),
  (24003, 22589, 0, 0, 1, 1, 1, NULL);

INSERT INTO `skinning_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (100001, 2934, 70, 1, 1, 1), (100001, 2318, 0, 1, 1, 2), (100005, 2318, 100, 0, 1, 3);
INSERT INTO `pickpocketing_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (38, 118, 4, 0, 1, 1), (38, 117, 30, 0, 1, 2);
INSERT INTO `gameobject_loot_template` (`Entry`, `Item`, `Chance`, `QuestRequired`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (2843, 2589, 50, 0, 1, 1, 3), (2843, 828, 3, 0, 0, 1, 1), (1502, 2770, 100, 0, 0, 2, 5), (1502, 774, 8, 0, 1, 1, 1);
INSERT INTO `item_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (5523, 7974, 100, 0, 1, 1), (5523, 774, 2, 0, 1, 1);
INSERT INTO `disenchant_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (41, 10940, 80, 1, 1, 2), (41, 10938, 0, 1, 1, 1);
INSERT INTO `milling_loot_template` (`Entry`, `Item`, `Chance`, `MinCount`, `MaxCount`) VALUES (765, 39151, 100, 2, 4);
INSERT INTO `prospecting_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (2770, 774, 50, 1, 1, 1), (2770, 818, 50, 1, 1, 1);
INSERT INTO `fishing_loot_template` (`Entry`, `Item`, `Chance`, `LootMode`, `GroupId`) VALUES
  (12, 6291, 0, 1, 1), (12, 5523, 30, 1, 1), (12, 45902, 1, 32768, 0);
INSERT INTO `mail_loot_template` (`Entry`, `Item`, `Chance`, `MinCount`, `MaxCount`) VALUES (118, 828, 100, 1, 1);
INSERT INTO `spell_loot_template` (`Entry`, `Item`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (61288, 774, 0, 1, 1, 1), (61288, 818, 0, 1, 1, 1);
INSERT INTO `mail_level_reward` (`level`, `raceMask`, `mailTemplateId`, `senderEntry`) VALUES (10, 1101, 118, 240);
INSERT INTO `playercreateinfo_item` (`race`, `class`, `itemid`, `amount`) VALUES (1, 1, 25, 1), (0, 0, 6948, 1);

INSERT INTO `gameobject_template` (`entry`, `type`, `displayId`, `name`, `Data0`, `Data1`) VALUES
  (2843, 3, 259, 'Battered Chest', 57, 2843), (1731, 3, 310, 'Copper Vein', 38, 1502);

-- The things of Kobold Miners only for those who are on the way to Hogger.
INSERT INTO `conditions`
  (`SourceTypeOrReferenceId`, `SourceGroup`, `SourceEntry`, `ConditionTypeOrReference`, `ConditionValue1`, `Comment`) VALUES
  (1, 40, 24001, 9, 176, 'while the quest is in the log');

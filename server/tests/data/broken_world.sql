-- Rows that are wrong on purpose, so that every check finds something; loaded over the lab's world, into a copy of it.
-- They have ids of their own, from 900000 (gossip menus, whose ids are small, from 65096; game events 120 and 121), and touch no other rows.
-- Table shapes as in TrinityCore 3.3.5, for the tables that no other file makes.
SET NAMES utf8mb4;

CREATE TABLE IF NOT EXISTS `gameobject_addon` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `parent_rotation0` float NOT NULL DEFAULT '0',
  `parent_rotation1` float NOT NULL DEFAULT '0',
  `parent_rotation2` float NOT NULL DEFAULT '0',
  `parent_rotation3` float NOT NULL DEFAULT '1',
  `invisibilityType` tinyint unsigned NOT NULL DEFAULT '0',
  `invisibilityValue` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `game_event` (
  `eventEntry` tinyint unsigned NOT NULL,
  `start_time` timestamp NULL DEFAULT NULL,
  `end_time` timestamp NULL DEFAULT NULL,
  `occurence` bigint unsigned NOT NULL DEFAULT '5184000',
  `length` bigint unsigned NOT NULL DEFAULT '2592000',
  `holiday` mediumint unsigned NOT NULL DEFAULT '0',
  `holidayStage` tinyint unsigned NOT NULL DEFAULT '0',
  `description` varchar(255) DEFAULT NULL,
  `world_event` tinyint unsigned NOT NULL DEFAULT '0',
  `announce` tinyint unsigned DEFAULT '2',
  PRIMARY KEY (`eventEntry`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `game_event_creature` (
  `eventEntry` tinyint NOT NULL,
  `guid` int unsigned NOT NULL,
  PRIMARY KEY (`guid`,`eventEntry`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE IF NOT EXISTS `game_event_gameobject` LIKE `game_event_creature`;

CREATE TABLE IF NOT EXISTS `game_event_creature_quest` (
  `eventEntry` tinyint unsigned NOT NULL,
  `id` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE IF NOT EXISTS `game_event_gameobject_quest` LIKE `game_event_creature_quest`;

CREATE TABLE IF NOT EXISTS `creature_model_info` (
  `DisplayID` int unsigned NOT NULL DEFAULT '0',
  `BoundingRadius` float NOT NULL DEFAULT '0',
  `CombatReach` float NOT NULL DEFAULT '0',
  `Gender` tinyint unsigned NOT NULL DEFAULT '2',
  `DisplayID_Other_Gender` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`DisplayID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `creature_equip_template` (
  `CreatureID` int unsigned NOT NULL DEFAULT '0',
  `ID` tinyint unsigned NOT NULL DEFAULT '1',
  `ItemID1` int unsigned NOT NULL DEFAULT '0',
  `ItemID2` int unsigned NOT NULL DEFAULT '0',
  `ItemID3` int unsigned NOT NULL DEFAULT '0',
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`CreatureID`,`ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `points_of_interest` (
  `ID` int unsigned NOT NULL DEFAULT '0',
  `PositionX` float NOT NULL DEFAULT '0',
  `PositionY` float NOT NULL DEFAULT '0',
  `Icon` int unsigned NOT NULL DEFAULT '0',
  `Flags` int unsigned NOT NULL DEFAULT '0',
  `Importance` int unsigned NOT NULL DEFAULT '0',
  `Name` text NOT NULL,
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The models that the rest of the world uses are known.
INSERT IGNORE INTO `creature_model_info` (`DisplayID`)
  SELECT `modelid1` FROM `creature_template` WHERE `modelid1` > 0 UNION
  SELECT `modelid2` FROM `creature_template` WHERE `modelid2` > 0 UNION
  SELECT `modelid3` FROM `creature_template` WHERE `modelid3` > 0 UNION
  SELECT `modelid4` FROM `creature_template` WHERE `modelid4` > 0 UNION
  SELECT `modelid` FROM `creature` WHERE `modelid` > 0;

-- Templates that the wrong rows stand beside.
INSERT INTO `creature_template` (`entry`, `name`, `npcflag`, `lootid`, `gossip_menu_id`, `AIName`, `modelid1`) VALUES
  (900100, 'Zz Keeper', 2, 900100, 0, '', 0),
  (900101, 'Zz Keeper without a model', 0, 0, 0, '', 999998),
  (900102, 'Zz Keeper without loot', 0, 900998, 0, '', 0),
  (900110, 'Zz Seller of nothing', 128, 0, 0, '', 0),
  (900111, 'Zz Seller without a sign', 0, 0, 0, '', 0),
  (900112, 'Zz Seller without wares', 128, 0, 0, '', 0),
  (900120, 'Zz Actor', 0, 0, 0, 'SmartAI', 0),
  (900121, 'Zz Actor without a script', 0, 0, 0, 'SmartAI', 0),
  (900122, 'Zz Script without an actor', 0, 0, 0, '', 0),
  (900123, 'Zz Actor by spawn', 0, 0, 0, 'SmartAI', 0),
  (900130, 'Zz Speechless', 1, 0, 65098, '', 0),
  (900131, 'Zz Speaker without wares', 1, 0, 65101, '', 0),
  (900132, 'Zz Deaf speaker', 128, 0, 65101, '', 0);
INSERT INTO `gameobject_template` (`entry`, `type`, `name`, `Data1`, `Data3`, `Data19`) VALUES
  (900100, 5, 'Zz Thing', 0, 0, 0), (900101, 3, 'Zz Chest without loot', 900998, 0, 0),
  (900102, 2, 'Zz Speechless thing', 0, 65098, 0), (900103, 10, 'Zz Speechless goober', 0, 0, 65098);
INSERT INTO `item_template` (`entry`, `name`) VALUES
  (900100, 'Zz Marble'), (900101, 'Zz Second marble'), (900102, 'Zz Third marble'), (900103, 'Zz Fourth marble');
INSERT INTO `game_event` (`eventEntry`, `description`) VALUES (120, 'Zz Day');

-- check_spawns
INSERT INTO `creature` (`guid`, `id`, `map`, `modelid`, `equipment_id`, `position_x`, `position_y`, `position_z`) VALUES
  (900001, 900999, 169, 0, 0, 3000, 3000, 10), (900002, 900100, 999, 0, 0, 3000, 3000, 10),
  (900003, 900100, 169, 999999, 7, 3000, 3000, 10), (900004, 900100, 169, 0, 0, 3000, 3000, 10),
  (900005, 900123, 169, 0, 0, 3000, 3000, 10);
INSERT INTO `gameobject` (`guid`, `id`, `map`, `position_x`, `position_y`, `position_z`) VALUES
  (900001, 900999, 169, 3000, 3000, 10), (900002, 900100, 999, 3000, 3000, 10), (900004, 900100, 169, 3000, 3000, 10);
INSERT INTO `creature_addon` (`guid`) VALUES (900998);
INSERT INTO `gameobject_addon` (`guid`) VALUES (900998);
INSERT INTO `creature_template_addon` (`entry`) VALUES (900998);
INSERT INTO `game_event_creature` (`eventEntry`, `guid`) VALUES (120, 900997), (121, 900004);
INSERT INTO `game_event_gameobject` (`eventEntry`, `guid`) VALUES (120, 900997), (-121, 900004);
INSERT INTO `pool_template` (`entry`, `max_limit`) VALUES (900001, 1);
INSERT INTO `pool_members` (`type`, `spawnId`, `poolSpawnId`, `chance`) VALUES
  (0, 900996, 900001, 0), (0, 900004, 900999, 0), (1, 900996, 900001, 0), (1, 900004, 900999, 0);
INSERT INTO `spawn_group_template` (`groupId`, `groupName`, `groupFlags`) VALUES (900001, 'Zz group', 0);
INSERT INTO `spawn_group` (`groupId`, `spawnType`, `spawnId`) VALUES
  (900001, 0, 900995), (900001, 1, 900995), (900999, 0, 900004);
INSERT INTO `creature_formations` (`leaderGUID`, `memberGUID`, `dist`, `angle`, `groupAI`) VALUES (900004, 900994, 0, 0, 0);

-- check_loot
INSERT INTO `creature_loot_template` (`Entry`, `Item`, `Reference`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (900100, 900999, 0, 10, 0, 1, 1), (900100, 900998, 900999, 10, 0, 1, 1), (900100, 900100, 0, 70, 1, 1, 1),
  (900100, 900101, 0, 60, 1, 1, 1), (900100, 900102, 0, 150, 0, 1, 1), (900100, 900103, 0, 10, 0, 3, 1),
  (900200, 900100, 0, 10, 0, 1, 1);
INSERT INTO `reference_loot_template` (`Entry`, `Item`, `Reference`, `Chance`, `GroupId`, `MinCount`, `MaxCount`) VALUES
  (900100, 900100, 0, 10, 0, 1, 1);

-- check_quests
INSERT INTO `quest_template`
  (`ID`, `MinLevel`, `LogTitle`, `StartItem`, `RewardNextQuest`, `RewardItem1`, `RequiredItemId1`, `RequiredNpcOrGo1`,
   `RequiredNpcOrGo2`) VALUES
  (900100, 1, 'Zz Errand', 0, 0, 0, 0, 0, 0), (900101, 1, 'Zz Errand of nobody', 0, 0, 0, 0, 0, 0),
  (900102, 1, 'Zz Errand without end', 0, 0, 0, 0, 0, 0),
  (900103, 10, 'Zz Errand for nothing', 900999, 900999, 900999, 900999, 900999, -900999),
  (900104, 1, 'Zz Hen', 0, 0, 0, 0, 0, 0), (900105, 1, 'Zz Egg', 0, 0, 0, 0, 0, 0),
  (900106, 1, 'Zz Errand disabled on purpose', 0, 0, 0, 0, 0, 0);
INSERT INTO `quest_template_addon` (`ID`, `MaxLevel`, `PrevQuestID`, `NextQuestID`, `BreadcrumbForQuestId`) VALUES
  (900103, 5, 900999, 900999, 900999), (900104, 0, 900105, 0, 0), (900105, 0, 900104, 0, 0), (900998, 0, 0, 0, 0);
INSERT INTO `creature_queststarter` (`id`, `quest`) VALUES
  (900100, 900100), (900100, 900102), (900100, 900103), (900100, 900104), (900100, 900105), (900100, 900999),
  (900999, 900100);
INSERT INTO `creature_questender` (`id`, `quest`) VALUES
  (900100, 900100), (900100, 900101), (900100, 900103), (900100, 900104), (900100, 900105), (900122, 900100);
INSERT INTO `disables` (`sourceType`, `entry`, `flags`, `params_0`, `params_1`, `comment`) VALUES (1, 900106, 0, '', '', 'Zz');

-- check_vendors
INSERT INTO `npc_vendor` (`entry`, `slot`, `item`, `maxcount`, `incrtime`) VALUES
  (900110, 0, 900999, 0, 0), (900110, 1, -900999, 0, 0), (900110, 2, 900101, 1, 0), (900110, 3, 900102, 0, 60),
  (900110, 4, -900114, 0, 0), (900111, 0, 900100, 0, 0), (900113, 0, 900100, 0, 0), (900114, 0, 900100, 0, 0),
  (900132, 0, 900100, 0, 0);

-- check_smart_scripts
INSERT INTO `smart_scripts`
  (`entryorguid`, `source_type`, `id`, `link`, `event_type`, `event_param1`, `action_type`, `action_param1`, `target_type`,
   `target_param1`, `comment`) VALUES
  (900120, 0, 0, 99, 4, 0, 24, 0, 1, 0, 'Zz links to nothing'),
  (900120, 0, 1, 2, 4, 0, 24, 0, 1, 0, 'Zz links to no link'),
  (900120, 0, 2, 0, 6, 0, 24, 0, 1, 0, 'Zz fine'),
  (900120, 0, 3, 0, 61, 0, 24, 0, 1, 0, 'Zz waits for ever'),
  (900120, 0, 4, 0, 250, 0, 24, 0, 1, 0, 'Zz unknown event'),
  (900120, 0, 5, 0, 4, 0, 250, 0, 1, 0, 'Zz unknown action'),
  (900120, 0, 6, 0, 4, 0, 24, 0, 250, 0, 'Zz unknown target'),
  (900120, 0, 7, 0, 4, 0, 12, 900999, 1, 0, 'Zz missing creature'),
  (900120, 0, 8, 0, 4, 0, 50, 900999, 1, 0, 'Zz missing gameobject'),
  (900120, 0, 9, 0, 4, 0, 56, 900999, 7, 0, 'Zz missing item'),
  (900120, 0, 10, 0, 4, 0, 7, 900999, 7, 0, 'Zz missing quest'),
  (900120, 0, 11, 0, 4, 0, 24, 0, 10, 900999, 'Zz missing creature spawn'),
  (900120, 0, 12, 0, 4, 0, 24, 0, 14, 900999, 'Zz missing gameobject spawn'),
  (900120, 0, 13, 0, 4, 0, 80, 90012099, 1, 0, 'Zz missing action list'),
  (900120, 0, 14, 0, 4, 0, 1, 9, 1, 0, 'Zz missing text'),
  (900120, 0, 15, 0, 68, 121, 24, 0, 1, 0, 'Zz missing event'),
  (90012000, 9, 0, 0, 0, 0, 24, 0, 1, 0, 'Zz list that nobody calls'),
  (900999, 0, 0, 0, 4, 0, 24, 0, 1, 0, 'Zz nobody'),
  (-900993, 0, 0, 0, 4, 0, 24, 0, 1, 0, 'Zz no spawn'),
  (900999, 1, 0, 0, 4, 0, 24, 0, 1, 0, 'Zz no thing'),
  (900122, 0, 0, 0, 4, 0, 24, 0, 1, 0, 'Zz not set to run it'),
  (-900005, 0, 0, 0, 4, 0, 24, 0, 1, 0, 'Zz fine');

-- check_conditions; quest 900100 is what most are attached to
INSERT INTO `conditions`
  (`SourceTypeOrReferenceId`, `SourceGroup`, `SourceEntry`, `SourceId`, `ConditionTypeOrReference`, `ConditionValue1`) VALUES
  (19, 0, 900100, 0, 200, 1), (19, 0, 900100, 0, -900999, 0), (19, 0, 900100, 0, 2, 900999), (19, 0, 900100, 0, 8, 900999),
  (19, 0, 900100, 0, 29, 900999), (19, 0, 900100, 0, 30, 900999), (19, 0, 900100, 0, 12, 121),
  (200, 0, 900100, 0, 27, 1), (-900100, 0, 0, 0, 27, 1), (1, 900100, 900777, 0, 27, 1), (14, 65100, 900777, 0, 27, 1),
  (15, 65100, 77, 0, 27, 1), (19, 0, 900999, 0, 27, 1), (22, 1, 900777, 0, 27, 1), (23, 900110, 900777, 0, 27, 1),
  (22, 3, 900120, 0, 27, 1);

-- check_gossip
INSERT INTO `npc_text` (`ID`) VALUES (900100);
INSERT INTO `gossip_menu` (`MenuID`, `TextID`) VALUES (65100, 900999), (65101, 900100);
INSERT INTO `gossip_menu_option`
  (`MenuID`, `OptionID`, `OptionText`, `OptionNpcFlag`, `ActionMenuID`, `ActionPoiID`) VALUES
  (65097, 0, 'Zz no menu', 0, 0, 0), (65101, 0, 'Zz no such menu', 0, 65096, 0), (65101, 1, 'Zz no such place', 0, 0, 900996),
  (65101, 2, 'Zz trade', 128, 0, 0);

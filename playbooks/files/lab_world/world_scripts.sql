-- What creatures of the lab's world do and say by themselves. Loaded after world.sql.
-- Table shapes as in TrinityCore 3.3.5; the rows are the lab's own.
SET NAMES utf8mb4;

CREATE TABLE `smart_scripts` (
  `entryorguid` int NOT NULL,
  `source_type` tinyint unsigned NOT NULL DEFAULT '0',
  `id` smallint unsigned NOT NULL DEFAULT '0',
  `link` smallint unsigned NOT NULL DEFAULT '0',
  `event_type` tinyint unsigned NOT NULL DEFAULT '0',
  `event_phase_mask` smallint unsigned NOT NULL DEFAULT '0',
  `event_chance` tinyint unsigned NOT NULL DEFAULT '100',
  `event_flags` smallint unsigned NOT NULL DEFAULT '0',
  `event_param1` int unsigned NOT NULL DEFAULT '0',
  `event_param2` int unsigned NOT NULL DEFAULT '0',
  `event_param3` int unsigned NOT NULL DEFAULT '0',
  `event_param4` int unsigned NOT NULL DEFAULT '0',
  `event_param5` int unsigned NOT NULL DEFAULT '0',
  `action_type` tinyint unsigned NOT NULL DEFAULT '0',
  `action_param1` int unsigned NOT NULL DEFAULT '0',
  `action_param2` int unsigned NOT NULL DEFAULT '0',
  `action_param3` int unsigned NOT NULL DEFAULT '0',
  `action_param4` int unsigned NOT NULL DEFAULT '0',
  `action_param5` int unsigned NOT NULL DEFAULT '0',
  `action_param6` int unsigned NOT NULL DEFAULT '0',
  `target_type` tinyint unsigned NOT NULL DEFAULT '0',
  `target_param1` int unsigned NOT NULL DEFAULT '0',
  `target_param2` int unsigned NOT NULL DEFAULT '0',
  `target_param3` int unsigned NOT NULL DEFAULT '0',
  `target_param4` int unsigned NOT NULL DEFAULT '0',
  `target_x` float NOT NULL DEFAULT '0',
  `target_y` float NOT NULL DEFAULT '0',
  `target_z` float NOT NULL DEFAULT '0',
  `target_o` float NOT NULL DEFAULT '0',
  `comment` mediumtext NOT NULL,
  PRIMARY KEY (`entryorguid`,`source_type`,`id`,`link`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `waypoint_data` (
  `id` int unsigned NOT NULL DEFAULT '0',
  `point` int unsigned NOT NULL DEFAULT '0',
  `position_x` float NOT NULL DEFAULT '0',
  `position_y` float NOT NULL DEFAULT '0',
  `position_z` float NOT NULL DEFAULT '0',
  `orientation` float DEFAULT NULL,
  `delay` int unsigned NOT NULL DEFAULT '0',
  `move_type` int NOT NULL DEFAULT '0',
  `action` int NOT NULL DEFAULT '0',
  `action_chance` smallint NOT NULL DEFAULT '100',
  `wpguid` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`,`point`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `waypoints` (
  `entry` int unsigned NOT NULL DEFAULT '0',
  `pointid` int unsigned NOT NULL DEFAULT '0',
  `position_x` float NOT NULL DEFAULT '0',
  `position_y` float NOT NULL DEFAULT '0',
  `position_z` float NOT NULL DEFAULT '0',
  `orientation` float DEFAULT NULL,
  `delay` int unsigned NOT NULL DEFAULT '0',
  `point_comment` mediumtext,
  PRIMARY KEY (`entry`,`pointid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `script_waypoint` (
  `entry` int unsigned NOT NULL DEFAULT '0',
  `pointid` int unsigned NOT NULL DEFAULT '0',
  `location_x` float NOT NULL DEFAULT '0',
  `location_y` float NOT NULL DEFAULT '0',
  `location_z` float NOT NULL DEFAULT '0',
  `waittime` int unsigned NOT NULL DEFAULT '0',
  `point_comment` mediumtext,
  PRIMARY KEY (`entry`,`pointid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `creature_text` (
  `CreatureID` int unsigned NOT NULL DEFAULT '0',
  `GroupID` tinyint unsigned NOT NULL DEFAULT '0',
  `ID` tinyint unsigned NOT NULL DEFAULT '0',
  `Text` longtext,
  `Type` tinyint unsigned NOT NULL DEFAULT '0',
  `Language` tinyint NOT NULL DEFAULT '0',
  `Probability` float unsigned NOT NULL DEFAULT '0',
  `Emote` int unsigned NOT NULL DEFAULT '0',
  `Duration` int unsigned NOT NULL DEFAULT '0',
  `Sound` int unsigned NOT NULL DEFAULT '0',
  `BroadcastTextId` int NOT NULL DEFAULT '0',
  `TextRange` tinyint unsigned NOT NULL DEFAULT '0',
  `comment` varchar(255) DEFAULT '',
  PRIMARY KEY (`CreatureID`,`GroupID`,`ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `creature_text_locale` (
  `CreatureID` int unsigned NOT NULL DEFAULT '0',
  `GroupID` tinyint unsigned NOT NULL DEFAULT '0',
  `ID` tinyint unsigned NOT NULL DEFAULT '0',
  `Locale` varchar(4) NOT NULL,
  `Text` mediumtext,
  PRIMARY KEY (`CreatureID`,`GroupID`,`ID`,`Locale`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `smart_scripts`
  (`entryorguid`, `source_type`, `id`, `link`, `event_type`, `event_phase_mask`, `event_chance`, `event_flags`,
   `event_param1`, `event_param2`, `event_param3`, `event_param4`,
   `action_type`, `action_param1`, `action_param2`, `action_param3`, `action_param4`, `action_param5`, `action_param6`,
   `target_type`, `target_param1`, `target_param2`, `target_param3`, `target_x`, `target_y`, `target_z`, `target_o`,
   `comment`) VALUES
  (448, 0, 0, 0, 4, 0, 50, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'shouts half the time'),
  (448, 0, 1, 0, 0, 0, 100, 0, 5000, 9000, 8000, 12000, 11, 6268, 32, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 'charges'),
  (448, 0, 2, 3, 2, 0, 100, 1, 0, 30, 0, 0, 1, 1, 4000, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 'threatens once'),
  (448, 0, 3, 6, 61, 0, 100, 0, 0, 0, 0, 0, 22, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'linked'),
  (448, 0, 4, 0, 6, 0, 100, 0, 0, 0, 0, 0, 12, 6, 1, 60000, 0, 0, 0, 8, 0, 0, 0, -10140, 660, 36, 0, 'a helper comes'),
  (448, 0, 5, 0, 250, 0, 100, 0, 9, 0, 0, 0, 251, 1, 2, 0, 0, 0, 0, 252, 0, 0, 0, 0, 0, 0, 0, 'types that no core has'),
  (448, 0, 6, 0, 61, 0, 100, 0, 0, 0, 0, 0, 80, 44800, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'linked twice'),
  (448, 0, 7, 0, 0, 2, 100, 0, 1000, 1000, 3000, 3000, 86, 6268, 0, 19, 6, 30, 0, 5, 40, 1, 0, 0, 0, 0, 0, 'in phase 2'),
  (448, 0, 8, 9, 25, 0, 100, 0, 0, 0, 0, 0, 53, 0, 4480, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'links to nowhere'),
  (-10, 0, 0, 0, 1, 0, 100, 0, 30000, 30000, 30000, 60000, 10, 1, 5, 11, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'this spawn only'),
  (38, 0, 0, 0, 4, 0, 30, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'shouts'),
  (38, 0, 1, 0, 2, 0, 100, 1, 0, 15, 0, 0, 25, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'runs for help'),
  (6, 0, 0, 0, 8, 0, 100, 0, 6268, 0, 5000, 5000, 33, 6, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 'hit by a spell'),
  (44800, 9, 0, 0, 0, 0, 100, 0, 1000, 1000, 0, 0, 45, 1, 7, 0, 0, 0, 0, 10, 6, 6, 0, 0, 0, 0, 0, 'tells a spawn'),
  (44800, 9, 1, 0, 0, 0, 100, 0, 2500, 2500, 0, 0, 41, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'goes'),
  (68, 1, 0, 0, 19, 0, 100, 0, 176, 0, 0, 0, 45, 1, 1, 0, 0, 0, 0, 19, 448, 100, 0, 0, 0, 0, 0, 'a poster that tells Hogger'),
  (5001, 2, 0, 0, 46, 0, 100, 0, 5001, 0, 0, 0, 62, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1920, -4124, 43, 4.8, 'a way out');

INSERT INTO `creature_text`
  (`CreatureID`, `GroupID`, `ID`, `Text`, `Type`, `Language`, `Probability`, `Emote`, `Duration`, `Sound`,
   `BroadcastTextId`, `TextRange`, `comment`) VALUES
  (448, 0, 0, 'Grrr! Fresh meat!', 12, 0, 60, 1, 0, 0, 0, 0, 'aggro'),
  (448, 0, 1, 'More bones to gnaw on!', 14, 0, 40, 0, 0, 1018, 0, 2, 'aggro'),
  (448, 1, 0, NULL, 41, 0, 100, 0, 4000, 0, 4400, 0, 'from broadcast_text'),
  (38, 0, 0, 'Hand over your purse, $R!', 12, 7, 100, 0, 0, 0, 0, 0, 'aggro');
INSERT INTO `creature_text_locale` (`CreatureID`, `GroupID`, `ID`, `Locale`, `Text`) VALUES
  (448, 0, 0, 'deDE', 'Grrr! Frisches Fleisch!');

INSERT INTO `waypoint_data`
  (`id`, `point`, `position_x`, `position_y`, `position_z`, `orientation`, `delay`, `move_type`, `action`, `action_chance`)
VALUES
  (100, 1, -10140, 660, 36.1, NULL, 0, 0, 0, 100),
  (100, 2, -10130, 670, 36.2, 1.5, 5000, 1, 0, 100),
  (100, 3, -10120, 660, 36, NULL, 0, 0, 7, 50);
INSERT INTO `waypoints` (`entry`, `pointid`, `position_x`, `position_y`, `position_z`, `delay`, `point_comment`) VALUES
  (4480, 1, -10141, 661, 36, 0, 'out of the camp'), (4480, 2, -10151, 671, 37, 2000, 'on the hill');
INSERT INTO `script_waypoint` (`entry`, `pointid`, `location_x`, `location_y`, `location_z`, `waittime`, `point_comment`)
VALUES
  (448, 1, -10000, 600, 35, 0, ''), (448, 2, -10003, 604, 35, 1500, 'looks around');

-- When things of the lab's world happen: conditions, and what is disabled. Loaded after world.sql.
-- Table shapes as in TrinityCore 3.3.5; the rows are the lab's own.
SET NAMES utf8mb4;

CREATE TABLE `conditions` (
  `SourceTypeOrReferenceId` int NOT NULL DEFAULT '0',
  `SourceGroup` int unsigned NOT NULL DEFAULT '0',
  `SourceEntry` int NOT NULL DEFAULT '0',
  `SourceId` int NOT NULL DEFAULT '0',
  `ElseGroup` int unsigned NOT NULL DEFAULT '0',
  `ConditionTypeOrReference` int NOT NULL DEFAULT '0',
  `ConditionTarget` tinyint unsigned NOT NULL DEFAULT '0',
  `ConditionValue1` int unsigned NOT NULL DEFAULT '0',
  `ConditionValue2` int unsigned NOT NULL DEFAULT '0',
  `ConditionValue3` int unsigned NOT NULL DEFAULT '0',
  `NegativeCondition` tinyint unsigned NOT NULL DEFAULT '0',
  `ErrorType` int unsigned NOT NULL DEFAULT '0',
  `ErrorTextId` int unsigned NOT NULL DEFAULT '0',
  `ScriptName` char(64) NOT NULL DEFAULT '',
  `Comment` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`SourceTypeOrReferenceId`,`SourceGroup`,`SourceEntry`,`SourceId`,`ElseGroup`,`ConditionTypeOrReference`,`ConditionTarget`,`ConditionValue1`,`ConditionValue2`,`ConditionValue3`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `disables` (
  `sourceType` int unsigned NOT NULL,
  `entry` int unsigned NOT NULL,
  `flags` smallint NOT NULL,
  `params_0` varchar(255) NOT NULL DEFAULT '',
  `params_1` varchar(255) NOT NULL DEFAULT '',
  `comment` varchar(255) NOT NULL DEFAULT '',
  PRIMARY KEY (`sourceType`,`entry`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `conditions`
  (`SourceTypeOrReferenceId`, `SourceGroup`, `SourceEntry`, `SourceId`, `ElseGroup`, `ConditionTypeOrReference`,
   `ConditionTarget`, `ConditionValue1`, `ConditionValue2`, `ConditionValue3`, `NegativeCondition`, `ErrorType`,
   `Comment`) VALUES
  (14, 1291, 1854, 0, 0, 8, 0, 176, 0, 0, 0, 0, 'Farley greets whoever beat Hogger'),
  (15, 1291, 3, 0, 0, 12, 0, 12, 0, 0, 0, 0, 'a treat only while the event lasts ...'),
  (15, 1291, 3, 0, 0, 1, 0, 24755, 0, 0, 1, 0, '... and not twice an hour'),
  (15, 1291, 3, 0, 1, 27, 0, 80, 3, 0, 0, 0, 'or always at level 80'),
  (15, 1221, 1, 0, 0, -7, 0, 0, 0, 0, 0, 0, 'by template'),
  (-7, 0, 0, 0, 0, 2, 0, 117, 5, 0, 0, 0, 'has jerky'),
  (-7, 0, 0, 0, 1, 47, 0, 33, 9, 0, 0, 0, 'or works on the wolves'),
  (-8, 0, 0, 0, 0, -8, 0, 0, 0, 0, 0, 0, 'a template that means itself'),
  (17, 0, 8690, 0, 0, 33, 1, 0, 1, 0, 0, 1, 'a spell on somebody of the party'),
  (19, 0, 788, 0, 0, 16, 0, 690, 0, 0, 0, 0, 'a quest of the Horde'),
  (22, 1, 448, 0, 0, 27, 0, 5, 3, 0, 0, 0, 'Hogger minds no beginners'),
  (23, 233, 828, 0, 0, 5, 0, 72, 224, 0, 0, 0, 'pouches for friends of Stormwind'),
  (18, 295, 8690, 0, 0, 31, 1, 3, 295, 8, 0, 0, 'an object by entry and spawn'),
  (18, 295, 8690, 0, 0, 250, 0, 1, 2, 3, 1, 0, 'a type that no core has');

INSERT INTO `disables` (`sourceType`, `entry`, `flags`, `params_0`, `params_1`, `comment`) VALUES
  (0, 8690, 17, '0,1', '', 'players, on two maps'),
  (1, 7490, 0, '', '', 'a quest'),
  (2, 249, 3, '', '', 'a raid in both sizes'),
  (3, 30, 0, '', '', 'a battleground'),
  (6, 13, 4, '', '', 'no line of sight there'),
  (7, 37, 0, '', '', 'no pathfinding there');

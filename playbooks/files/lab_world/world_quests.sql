-- How quests of the lab's world hang together: table shapes as in TrinityCore 3.3.5, rows of our own.

CREATE TABLE IF NOT EXISTS `game_event_creature_quest` (
  `eventEntry` tinyint unsigned NOT NULL,
  `id` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `game_event_gameobject_quest` (
  `eventEntry` tinyint unsigned NOT NULL,
  `id` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`,`quest`,`eventEntry`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `game_event_seasonal_questrelation` (
  `questId` int unsigned NOT NULL,
  `eventEntry` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`questId`,`eventEntry`),
  KEY `idx_quest` (`questId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `quest_pool_members` (
  `questId` int unsigned NOT NULL,
  `poolId` int unsigned NOT NULL,
  `poolIndex` tinyint unsigned NOT NULL DEFAULT '0',
  `description` varchar(255) DEFAULT NULL,
  PRIMARY KEY (`questId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS `quest_mail_sender` (
  `QuestId` int unsigned NOT NULL DEFAULT '0',
  `RewardMailSenderEntry` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`QuestId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `quest_template` (`ID`, `QuestType`, `QuestLevel`, `MinLevel`, `QuestSortID`, `Flags`, `LogTitle`,
  `LogDescription`, `QuestDescription`, `QuestCompletionLog`) VALUES
  (90001, 2, 10, 8, 12, 8, 'The Broken Mill', 'Look at the mill and come back.', 'The wheel stands still, and nobody dares to look why.', 'Return to Lyria.'),
  (90002, 2, 11, 8, 12, 8, 'A New Axle', 'Bring wood for an axle.', 'The axle is split from end to end.', 'Return to Lyria.'),
  (90003, 2, 11, 8, 12, 8, 'Clearing the Race', 'Clear the mill race.', 'Something has dammed up the race.', 'Return to Lyria.'),
  (90004, 2, 12, 9, 12, 8, 'The Wheel Turns', 'Set the mill going.', 'Axle and race are ready. Now for the hard part.', 'Return to Lyria.'),
  (90005, 2, 12, 9, 12, 8, 'Flour for the Baker', 'Carry flour to the baker.', 'First flour goes to the baker, I say.', 'Return to Lyria.'),
  (90006, 2, 12, 9, 12, 8, 'Flour for the Brewer', 'Carry flour to the brewer.', 'First flour goes to the brewer, I say.', 'Return to Lyria.'),
  (90007, 2, 10, 7, 12, 8, 'Word from the Mill', 'See Lyria about the mill.', 'They say that the mill has stopped.', 'See Lyria.'),
  (90008, 2, 10, 8, 12, 8, 'While You Are There', 'Count the sacks in the mill.', 'If you go to the mill anyway, count the sacks.', 'Return to Lyria.');
INSERT INTO `quest_template_addon`
  (`ID`, `PrevQuestID`, `NextQuestID`, `ExclusiveGroup`, `BreadcrumbForQuestId`) VALUES
  (90001, 0, 0, 0, 0),
  (90002, 90001, 90004, -90002, 0),
  (90003, 90001, 90004, -90002, 0),
  (90004, 0, 0, 0, 0),
  (90005, 90004, 0, 90005, 0),
  (90006, 90004, 0, 90005, 0),
  (90007, 0, 0, 0, 90001),
  (90008, -90001, 0, 0, 0);
-- The one that asks for and gives everything.
UPDATE `quest_template` SET
  `AllowableRaces` = 1101, `TimeAllowed` = 1800, `StartItem` = 2589, `RewardMoney` = -500, `SuggestedGroupNum` = 3,
  `RequiredNpcOrGo1` = 448, `RequiredNpcOrGoCount1` = 1, `RequiredNpcOrGo2` = -1599, `RequiredNpcOrGoCount2` = 2,
  `ObjectiveText2` = 'Graves looked into', `RequiredItemId1` = 2589, `RequiredItemCount1` = 4,
  `RequiredFactionId1` = 72, `RequiredFactionValue1` = 3000, `RequiredPlayerKills` = 2,
  `RewardXPDifficulty` = 5, `RewardBonusMoney` = 840, `RewardHonor` = 12, `RewardKillHonor` = 1.5,
  `RewardArenaPoints` = 3, `RewardTalents` = 1, `RewardTitle` = 11, `RewardSpell` = 100, `RewardDisplaySpell` = 772,
  `RewardItem1` = 118, `RewardAmount1` = 5, `RewardChoiceItemID1` = 25, `RewardChoiceItemQuantity1` = 1,
  `RewardChoiceItemID2` = 36, `RewardChoiceItemQuantity2` = 1, `RewardNextQuest` = 90005,
  `RewardFactionID1` = 72, `RewardFactionValue1` = 5, `RewardFactionID2` = 76, `RewardFactionValue2` = -3,
  `RewardFactionID3` = 47, `RewardFactionOverride3` = 12300 WHERE `ID` = 90004;
UPDATE `quest_template_addon` SET
  `MaxLevel` = 30, `AllowableClasses` = 400, `RequiredSkillID` = 185, `RequiredSkillPoints` = 50,
  `RequiredMinRepFaction` = 72, `RequiredMinRepValue` = 3000, `RequiredMaxRepFaction` = 72, `RequiredMaxRepValue` = 42000,
  `ProvidedItemCount` = 2, `SourceSpellID` = 8690, `SpecialFlags` = 2, `RewardMailTemplateID` = 118,
  `RewardMailDelay` = 3600 WHERE `ID` = 90004;
INSERT INTO `quest_mail_sender` (`QuestId`, `RewardMailSenderEntry`) VALUES (90004, 240);
INSERT INTO `creature_queststarter` (`id`, `quest`) VALUES
  (913, 90001), (913, 90002), (913, 90003), (913, 90004), (913, 90005), (913, 90006), (913, 90008);
INSERT INTO `creature_questender` (`id`, `quest`) VALUES
  (913, 90001), (913, 90002), (913, 90003), (913, 90004), (913, 90005), (913, 90006), (913, 90007), (913, 90008);
INSERT INTO `game_event_creature_quest` (`eventEntry`, `id`, `quest`) VALUES (12, 913, 90007);
INSERT INTO `game_event_seasonal_questrelation` (`questId`, `eventEntry`) VALUES (90007, 12);
INSERT INTO `quest_pool_members` (`questId`, `poolId`, `poolIndex`, `description`) VALUES (90008, 700, 0, 'counting');
INSERT INTO `conditions`
  (`SourceTypeOrReferenceId`, `SourceGroup`, `SourceEntry`, `ConditionTypeOrReference`, `ConditionValue1`, `Comment`) VALUES
  (19, 0, 90004, 12, 12, 'only while the event lasts');

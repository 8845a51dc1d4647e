-- A world as TrinityCore master shapes it (of wide tables the columns that we read), a few rows each; texts are ours.
SET NAMES utf8mb4;

CREATE TABLE `trinity_string` (`entry` int unsigned NOT NULL PRIMARY KEY, `content_default` mediumtext NOT NULL);

CREATE TABLE `creature_template` (
  `entry` int unsigned NOT NULL PRIMARY KEY, `KillCredit1` int unsigned NOT NULL DEFAULT 0,
  `KillCredit2` int unsigned NOT NULL DEFAULT 0, `name` mediumtext, `femaleName` mediumtext, `subname` mediumtext,
  `TitleAlt` mediumtext, `IconName` varchar(64), `RequiredExpansion` int NOT NULL DEFAULT 0,
  `faction` smallint unsigned NOT NULL DEFAULT 0, `npcflag` bigint unsigned NOT NULL DEFAULT 0,
  `speed_walk` float NOT NULL DEFAULT 1, `speed_run` float NOT NULL DEFAULT 1.14286, `scale` float NOT NULL DEFAULT 1,
  `Classification` tinyint unsigned NOT NULL DEFAULT 0, `dmgschool` tinyint NOT NULL DEFAULT 0,
  `BaseAttackTime` int unsigned NOT NULL DEFAULT 0, `unit_class` tinyint unsigned NOT NULL DEFAULT 0,
  `unit_flags` int unsigned NOT NULL DEFAULT 0, `family` int NOT NULL DEFAULT 0, `type` tinyint unsigned NOT NULL DEFAULT 0,
  `VehicleId` int unsigned NOT NULL DEFAULT 0, `AIName` varchar(64) NOT NULL DEFAULT '',
  `MovementType` tinyint unsigned NOT NULL DEFAULT 0, `ExperienceModifier` float NOT NULL DEFAULT 1,
  `flags_extra` int unsigned NOT NULL DEFAULT 0, `ScriptName` varchar(64) NOT NULL DEFAULT '', `StringId` varchar(64)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `creature_template_difficulty` (
  `Entry` int unsigned NOT NULL, `DifficultyID` tinyint unsigned NOT NULL DEFAULT 0,
  `ContentTuningID` int NOT NULL DEFAULT 0, `HealthModifier` float NOT NULL DEFAULT 1,
  `ManaModifier` float NOT NULL DEFAULT 1, `ArmorModifier` float NOT NULL DEFAULT 1,
  `DamageModifier` float NOT NULL DEFAULT 1, `TypeFlags` int unsigned NOT NULL DEFAULT 0,
  `LootID` int unsigned NOT NULL DEFAULT 0, `PickPocketLootID` int unsigned NOT NULL DEFAULT 0,
  `SkinLootID` int unsigned NOT NULL DEFAULT 0, `GoldMin` int unsigned NOT NULL DEFAULT 0,
  `GoldMax` int unsigned NOT NULL DEFAULT 0, PRIMARY KEY (`Entry`, `DifficultyID`)
);
CREATE TABLE `creature_template_model` (
  `CreatureID` int unsigned NOT NULL, `Idx` int unsigned NOT NULL DEFAULT 0, `CreatureDisplayID` int unsigned NOT NULL,
  `DisplayScale` float NOT NULL DEFAULT 1, `Probability` float NOT NULL DEFAULT 0, PRIMARY KEY (`CreatureID`, `Idx`)
);
CREATE TABLE `creature_template_gossip` (
  `CreatureID` int unsigned NOT NULL, `MenuID` int unsigned NOT NULL, PRIMARY KEY (`CreatureID`, `MenuID`)
);
CREATE TABLE `creature_template_spell` (
  `CreatureID` int unsigned NOT NULL, `Index` tinyint unsigned NOT NULL DEFAULT 0, `Spell` int unsigned NOT NULL,
  PRIMARY KEY (`CreatureID`, `Index`)
);
CREATE TABLE `creature_template_locale` (
  `entry` int unsigned NOT NULL, `locale` varchar(4) NOT NULL, `Name` mediumtext, `NameAlt` mediumtext,
  `Title` mediumtext, `TitleAlt` mediumtext, PRIMARY KEY (`entry`, `locale`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `creature` (`guid` bigint unsigned NOT NULL PRIMARY KEY, `id` int unsigned NOT NULL, `map` smallint unsigned NOT NULL);
CREATE TABLE `creature_queststarter` (`id` int unsigned NOT NULL, `quest` int unsigned NOT NULL, PRIMARY KEY (`id`, `quest`));
CREATE TABLE `creature_questender` LIKE `creature_queststarter`;
CREATE TABLE `gameobject_queststarter` LIKE `creature_queststarter`;
CREATE TABLE `gameobject_questender` LIKE `creature_queststarter`;
CREATE TABLE `gameobject_template` (
  `entry` int unsigned NOT NULL PRIMARY KEY, `type` tinyint unsigned NOT NULL DEFAULT 0,
  `displayId` int unsigned NOT NULL DEFAULT 0, `name` varchar(100) NOT NULL DEFAULT '',
  `IconName` varchar(100) NOT NULL DEFAULT '', `castBarCaption` varchar(100) NOT NULL DEFAULT '',
  `size` float NOT NULL DEFAULT 1, `Data0` int NOT NULL DEFAULT 0, `Data1` int NOT NULL DEFAULT 0,
  `ContentTuningId` int NOT NULL DEFAULT 0, `AIName` varchar(64) NOT NULL DEFAULT '',
  `ScriptName` varchar(64) NOT NULL DEFAULT ''
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `quest_template` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `QuestType` tinyint unsigned NOT NULL DEFAULT 2,
  `ContentTuningID` int NOT NULL DEFAULT 0, `QuestSortID` smallint NOT NULL DEFAULT 0,
  `QuestInfoID` smallint unsigned NOT NULL DEFAULT 0, `SuggestedGroupNum` tinyint unsigned NOT NULL DEFAULT 0,
  `RewardNextQuest` int unsigned NOT NULL DEFAULT 0, `RewardXPDifficulty` int unsigned NOT NULL DEFAULT 0,
  `RewardMoneyDifficulty` int unsigned NOT NULL DEFAULT 0, `RewardDisplaySpell1` int unsigned NOT NULL DEFAULT 0,
  `RewardSpell` int unsigned NOT NULL DEFAULT 0, `StartItem` int unsigned NOT NULL DEFAULT 0,
  `Flags` int unsigned NOT NULL DEFAULT 0, `RewardItem1` int unsigned NOT NULL DEFAULT 0,
  `RewardAmount1` int unsigned NOT NULL DEFAULT 0, `RewardChoiceItemID1` int unsigned NOT NULL DEFAULT 0,
  `RewardChoiceItemQuantity1` int unsigned NOT NULL DEFAULT 0, `RewardFactionID1` int unsigned NOT NULL DEFAULT 0,
  `RewardFactionValue1` int NOT NULL DEFAULT 0, `TimeAllowed` bigint NOT NULL DEFAULT 0,
  `AllowableRaces` bigint unsigned DEFAULT 18446744073709551615, `LogTitle` mediumtext, `LogDescription` mediumtext,
  `QuestDescription` mediumtext, `QuestCompletionLog` mediumtext
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `quest_template_addon` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `MaxLevel` tinyint unsigned NOT NULL DEFAULT 0,
  `AllowableClasses` int unsigned NOT NULL DEFAULT 0, `PrevQuestID` int NOT NULL DEFAULT 0,
  `NextQuestID` int unsigned NOT NULL DEFAULT 0, `ExclusiveGroup` int NOT NULL DEFAULT 0,
  `SpecialFlags` tinyint unsigned NOT NULL DEFAULT 0
);
CREATE TABLE `quest_template_locale` (
  `ID` int unsigned NOT NULL, `locale` varchar(4) NOT NULL, `LogTitle` mediumtext, `LogDescription` mediumtext,
  `QuestDescription` mediumtext, `QuestCompletionLog` mediumtext, PRIMARY KEY (`ID`, `locale`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `quest_objectives` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `QuestID` int unsigned NOT NULL, `Type` tinyint unsigned NOT NULL DEFAULT 0,
  `Order` tinyint unsigned NOT NULL DEFAULT 0, `StorageIndex` tinyint NOT NULL DEFAULT 0,
  `ObjectID` int NOT NULL DEFAULT 0, `Amount` int NOT NULL DEFAULT 0, `Flags` int unsigned NOT NULL DEFAULT 0,
  `Description` text
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `npc_text` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `Probability0` float NOT NULL DEFAULT 0, `Probability1` float NOT NULL DEFAULT 0,
  `BroadcastTextID0` int unsigned NOT NULL DEFAULT 0, `BroadcastTextID1` int unsigned NOT NULL DEFAULT 0
);

INSERT INTO `creature_template`
  (`entry`, `name`, `subname`, `faction`, `npcflag`, `Classification`, `unit_class`, `type`, `BaseAttackTime`, `RequiredExpansion`)
VALUES (448, 'Hogger', NULL, 20, 0, 1, 1, 7, 2000, 0), (197, 'Marshal McBride', NULL, 12, 8589934594, 0, 1, 7, 2000, 0);
INSERT INTO `creature_template_difficulty`
  (`Entry`, `DifficultyID`, `ContentTuningID`, `HealthModifier`, `DamageModifier`, `TypeFlags`, `LootID`, `GoldMin`, `GoldMax`)
VALUES (448, 0, 51, 1.5, 1.35, 4, 448, 39, 60), (448, 2, 52, 3, 2, 0, 4480, 0, 0), (197, 0, 51, 1, 1, 0, 0, 0, 0);
INSERT INTO `creature_template_model` VALUES (448, 0, 384, 1.25, 1);
INSERT INTO `creature_template_gossip` VALUES (197, 4110);
INSERT INTO `creature_template_spell` VALUES (448, 0, 6268);
INSERT INTO `creature_template_locale` (`entry`, `locale`, `Name`) VALUES (448, 'deDE', 'Hogger der Schreckliche');
INSERT INTO `creature` VALUES (1, 448, 0), (2, 448, 0);
INSERT INTO `creature_queststarter` VALUES (197, 7);
INSERT INTO `creature_questender` VALUES (197, 7);
INSERT INTO `gameobject_template` (`entry`, `type`, `name`, `Data0`, `Data1`) VALUES (2843, 3, 'Battered Chest', 57, 2265);
INSERT INTO `quest_template`
  (`ID`, `QuestSortID`, `RewardItem1`, `RewardAmount1`, `RewardFactionID1`, `RewardFactionValue1`, `RewardDisplaySpell1`,
   `LogTitle`, `LogDescription`)
VALUES (7, 9, 25, 1, 72, 5, 6268, 'Kobold Camp Cleanup', 'Thin them out.');
INSERT INTO `quest_template_addon` (`ID`, `AllowableClasses`) VALUES (7, 1);
INSERT INTO `quest_template_locale` (`ID`, `locale`, `LogTitle`, `LogDescription`) VALUES
  (7, 'deDE', 'Säuberung des Koboldlagers', 'Dünnt sie aus.');
INSERT INTO `quest_objectives` (`ID`, `QuestID`, `Type`, `Order`, `ObjectID`, `Amount`, `Description`) VALUES
  (1, 7, 0, 0, 448, 1, NULL), (2, 7, 1, 1, 25, 2, 'Swords taken'), (3, 7, 9, 2, 0, 5, NULL), (4, 7, 8, 3, 0, 100, NULL);
INSERT INTO `npc_text` VALUES (4110, 1, 0, 90001, 0);

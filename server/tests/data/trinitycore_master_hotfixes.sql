-- Hotfixes as TrinityCore master shapes them (of wide tables the columns that we read), a few rows each; texts are ours.
SET NAMES utf8mb4;

CREATE TABLE `item` (
  `ID` int unsigned NOT NULL, `ClassID` int NOT NULL DEFAULT 0, `SubclassID` tinyint unsigned NOT NULL DEFAULT 0,
  `InventoryType` tinyint NOT NULL DEFAULT 0, `VerifiedBuild` int NOT NULL DEFAULT 0, PRIMARY KEY (`ID`, `VerifiedBuild`)
);
CREATE TABLE `item_sparse` (
  `ID` int unsigned NOT NULL, `Description` text, `Display` text, `DurationInInventory` int unsigned NOT NULL DEFAULT 0,
  `StartQuestID` int NOT NULL DEFAULT 0, `Stackable` int NOT NULL DEFAULT 0, `MaxCount` int NOT NULL DEFAULT 0,
  `MinReputation` int NOT NULL DEFAULT 0, `RequiredAbility` int unsigned NOT NULL DEFAULT 0,
  `AllowableRace1` int NOT NULL DEFAULT -1, `SellPrice` int unsigned NOT NULL DEFAULT 0,
  `BuyPrice` int unsigned NOT NULL DEFAULT 0, `VendorStackCount` int unsigned NOT NULL DEFAULT 0,
  `ItemSet` smallint unsigned NOT NULL DEFAULT 0, `LockID` smallint unsigned NOT NULL DEFAULT 0,
  `PageID` smallint unsigned NOT NULL DEFAULT 0, `ItemDelay` smallint unsigned NOT NULL DEFAULT 0,
  `MinFactionID` smallint unsigned NOT NULL DEFAULT 0, `RequiredSkillRank` smallint unsigned NOT NULL DEFAULT 0,
  `RequiredSkill` smallint unsigned NOT NULL DEFAULT 0, `ItemLevel` smallint unsigned NOT NULL DEFAULT 0,
  `AllowableClass` smallint NOT NULL DEFAULT -1, `SocketType1` tinyint unsigned NOT NULL DEFAULT 0,
  `SocketType2` tinyint unsigned NOT NULL DEFAULT 0, `SocketType3` tinyint unsigned NOT NULL DEFAULT 0,
  `Bonding` tinyint unsigned NOT NULL DEFAULT 0, `ContainerSlots` tinyint unsigned NOT NULL DEFAULT 0,
  `RequiredLevel` tinyint NOT NULL DEFAULT 0, `InventoryType` tinyint NOT NULL DEFAULT 0,
  `OverallQualityID` tinyint NOT NULL DEFAULT 0, `VerifiedBuild` int NOT NULL DEFAULT 0, PRIMARY KEY (`ID`, `VerifiedBuild`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `item_sparse_locale` (
  `ID` int unsigned NOT NULL, `locale` varchar(4) NOT NULL, `Description_lang` text, `Display_lang` text,
  `VerifiedBuild` int NOT NULL DEFAULT 0, PRIMARY KEY (`ID`, `locale`, `VerifiedBuild`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `item_effect` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `LegacySlotIndex` tinyint unsigned NOT NULL DEFAULT 0,
  `TriggerType` tinyint NOT NULL DEFAULT 0, `Charges` smallint NOT NULL DEFAULT 0, `CoolDownMSec` int NOT NULL DEFAULT 0,
  `SpellID` int NOT NULL DEFAULT 0
);
CREATE TABLE `item_x_item_effect` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `ItemEffectID` int NOT NULL DEFAULT 0, `ItemID` int unsigned NOT NULL DEFAULT 0
);
CREATE TABLE `spell_name` (`ID` int unsigned NOT NULL PRIMARY KEY, `Name` text) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `spell_name_locale` (
  `ID` int unsigned NOT NULL, `locale` varchar(4) NOT NULL, `Name_lang` text, PRIMARY KEY (`ID`, `locale`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `spell_effect` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `EffectAura` smallint NOT NULL DEFAULT 0, `EffectIndex` int NOT NULL DEFAULT 0,
  `Effect` int unsigned NOT NULL DEFAULT 0, `EffectAuraPeriod` int NOT NULL DEFAULT 0,
  `EffectBasePoints` float NOT NULL DEFAULT 0, `EffectItemType` int NOT NULL DEFAULT 0,
  `EffectTriggerSpell` int NOT NULL DEFAULT 0, `EffectMiscValue1` int NOT NULL DEFAULT 0,
  `EffectMiscValue2` int NOT NULL DEFAULT 0, `ImplicitTarget1` smallint NOT NULL DEFAULT 0,
  `ImplicitTarget2` smallint NOT NULL DEFAULT 0, `SpellID` int NOT NULL DEFAULT 0
);
CREATE TABLE `spell_misc` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `CastingTimeIndex` smallint unsigned NOT NULL DEFAULT 0,
  `DurationIndex` smallint unsigned NOT NULL DEFAULT 0, `RangeIndex` smallint unsigned NOT NULL DEFAULT 0,
  `SchoolMask` tinyint unsigned NOT NULL DEFAULT 0, `SpellID` int NOT NULL DEFAULT 0
);
CREATE TABLE `faction` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `Name` text, `Description` text, `ReputationIndex` smallint NOT NULL DEFAULT -1,
  `ParentFactionID` smallint unsigned NOT NULL DEFAULT 0
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `faction_template` (`ID` int unsigned NOT NULL PRIMARY KEY, `Faction` smallint unsigned NOT NULL DEFAULT 0);
CREATE TABLE `area_table` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `ZoneName` text, `AreaName` text, `ContinentID` smallint unsigned NOT NULL DEFAULT 0,
  `ParentAreaID` smallint unsigned NOT NULL DEFAULT 0, `Flags1` int NOT NULL DEFAULT 0
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `area_table_locale` (
  `ID` int unsigned NOT NULL, `locale` varchar(4) NOT NULL, `AreaName_lang` text, PRIMARY KEY (`ID`, `locale`)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `map` (
  `ID` int unsigned NOT NULL PRIMARY KEY, `Directory` text, `MapName` text, `InstanceType` tinyint NOT NULL DEFAULT 0,
  `ExpansionID` tinyint unsigned NOT NULL DEFAULT 0, `MaxPlayers` tinyint unsigned NOT NULL DEFAULT 0
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `broadcast_text` (`ID` int unsigned NOT NULL PRIMARY KEY, `Text` text, `Text1` text)
  DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `item` VALUES (25, 2, 7, 21, 0);
INSERT INTO `item_sparse`
  (`ID`, `Display`, `Description`, `OverallQualityID`, `ItemLevel`, `RequiredLevel`, `InventoryType`, `SellPrice`, `BuyPrice`,
   `VendorStackCount`, `Stackable`, `ItemDelay`, `Bonding`, `StartQuestID`, `MinFactionID`)
VALUES (25, 'Worn Shortsword', 'Notched.', 1, 2, 1, 21, 7, 35, 1, 1, 1900, 1, 7, 72);
INSERT INTO `item_sparse_locale` (`ID`, `locale`, `Display_lang`) VALUES (25, 'deDE', 'Abgenutztes Kurzschwert');
INSERT INTO `item_effect` VALUES (1, 1, 2, 0, -1, 6268), (2, 0, 0, -1, 30000, 3391);
INSERT INTO `item_x_item_effect` VALUES (1, 1, 25), (2, 2, 25);
INSERT INTO `spell_name` VALUES (6268, 'Rushing Charge'), (3391, 'Thrash');
INSERT INTO `spell_name_locale` VALUES (6268, 'deDE', 'Sturmangriff');
INSERT INTO `spell_effect` (`ID`, `SpellID`, `EffectIndex`, `Effect`, `EffectAura`, `EffectTriggerSpell`) VALUES
  (1, 6268, 0, 96, 0, 0), (2, 6268, 1, 6, 42, 3391);
INSERT INTO `spell_misc` (`ID`, `SpellID`, `SchoolMask`) VALUES (1, 6268, 1);
INSERT INTO `faction` VALUES (72, 'Stormwind', 'The kingdom.', 19, 469);
INSERT INTO `faction_template` VALUES (12, 72);
INSERT INTO `area_table` VALUES (12, 'Elwynn', 'Elwynn Forest', 0, 0, 0), (9, 'Northshire', 'Northshire Valley', 0, 12, 0);
INSERT INTO `area_table_locale` VALUES (12, 'deDE', 'Wald von Elwynn');
INSERT INTO `map` VALUES (0, 'Azeroth', 'Eastern Kingdoms', 0, 0, 0);
INSERT INTO `broadcast_text` VALUES (90001, 'Stay alert, soldier.', NULL);

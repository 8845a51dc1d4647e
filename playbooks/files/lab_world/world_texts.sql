-- What quest givers of the lab's world say before their quests are shown, and texts to search. Loaded after
-- world_scripts.sql. Table shapes as in TrinityCore 3.3.5; the rows are the lab's own.
SET NAMES utf8mb4;

CREATE TABLE `quest_greeting` (
  `ID` int unsigned NOT NULL DEFAULT '0',
  `Type` tinyint unsigned NOT NULL DEFAULT '0',
  `GreetEmoteType` smallint unsigned NOT NULL DEFAULT '0',
  `GreetEmoteDelay` int unsigned NOT NULL DEFAULT '0',
  `Greeting` mediumtext,
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`ID`,`Type`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `quest_greeting_locale` (
  `ID` int unsigned NOT NULL DEFAULT '0',
  `Type` tinyint unsigned NOT NULL DEFAULT '0',
  `locale` varchar(4) NOT NULL,
  `Greeting` mediumtext,
  `VerifiedBuild` int DEFAULT NULL,
  PRIMARY KEY (`ID`,`Type`,`locale`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `quest_greeting` (`ID`, `Type`, `Greeting`) VALUES
  (823, 0, 'The vineyards are 100% lost, $N. We hold the abbey.'),
  (68, 1, 'Somebody scratched the price of turnips into the wood.');

INSERT INTO `quest_greeting_locale` (`ID`, `Type`, `locale`, `Greeting`) VALUES
  (823, 0, 'deDE', 'Die Weingärten sind verloren, $N.');

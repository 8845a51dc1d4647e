-- Items, quests, guild ranks, auctions, mail and tickets for the tools about players: table shapes of TrinityCore 3.3.5,
-- rows written for the lab (names and ids are the game's, every text is ours).
SET NAMES utf8mb4;

CREATE TABLE `item_instance` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `itemEntry` mediumint unsigned NOT NULL DEFAULT '0',
  `owner_guid` int unsigned NOT NULL DEFAULT '0',
  `creatorGuid` int unsigned NOT NULL DEFAULT '0',
  `giftCreatorGuid` int unsigned NOT NULL DEFAULT '0',
  `count` int unsigned NOT NULL DEFAULT '1',
  `duration` int NOT NULL DEFAULT '0',
  `charges` tinytext,
  `flags` mediumint unsigned NOT NULL DEFAULT '0',
  `enchantments` text NOT NULL,
  `randomPropertyId` smallint NOT NULL DEFAULT '0',
  `durability` smallint unsigned NOT NULL DEFAULT '0',
  `playedTime` int unsigned NOT NULL DEFAULT '0',
  `text` text,
  PRIMARY KEY (`guid`),
  KEY `idx_owner_guid` (`owner_guid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_inventory` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `bag` int unsigned NOT NULL DEFAULT '0',
  `slot` tinyint unsigned NOT NULL DEFAULT '0',
  `item` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`item`),
  UNIQUE KEY `guid` (`guid`,`bag`,`slot`),
  KEY `idx_guid` (`guid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_queststatus` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  `status` tinyint unsigned NOT NULL DEFAULT '0',
  `explored` tinyint unsigned NOT NULL DEFAULT '0',
  `timer` int unsigned NOT NULL DEFAULT '0',
  `mobcount1` smallint unsigned NOT NULL DEFAULT '0',
  `mobcount2` smallint unsigned NOT NULL DEFAULT '0',
  `mobcount3` smallint unsigned NOT NULL DEFAULT '0',
  `mobcount4` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount1` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount2` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount3` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount4` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount5` smallint unsigned NOT NULL DEFAULT '0',
  `itemcount6` smallint unsigned NOT NULL DEFAULT '0',
  `playercount` smallint unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guid`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_queststatus_rewarded` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  `active` tinyint unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (`guid`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_queststatus_daily` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  `time` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guid`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_queststatus_weekly` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `quest` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guid`,`quest`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `character_banned` (
  `guid` int unsigned NOT NULL DEFAULT '0',
  `bandate` int unsigned NOT NULL DEFAULT '0',
  `unbandate` int unsigned NOT NULL DEFAULT '0',
  `bannedby` varchar(50) NOT NULL,
  `banreason` varchar(255) NOT NULL,
  `active` tinyint unsigned NOT NULL DEFAULT '1',
  PRIMARY KEY (`guid`,`bandate`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `guild_rank` (
  `guildid` int unsigned NOT NULL DEFAULT '0',
  `rid` tinyint unsigned NOT NULL,
  `rname` varchar(20) NOT NULL DEFAULT '',
  `rights` mediumint unsigned NOT NULL DEFAULT '0',
  `BankMoneyPerDay` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`guildid`,`rid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `guild_bank_tab` (
  `guildid` int unsigned NOT NULL DEFAULT '0',
  `TabId` tinyint unsigned NOT NULL DEFAULT '0',
  `TabName` varchar(16) NOT NULL DEFAULT '',
  `TabIcon` varchar(100) NOT NULL DEFAULT '',
  `TabText` varchar(500) DEFAULT NULL,
  PRIMARY KEY (`guildid`,`TabId`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `auctionhouse` (
  `id` int unsigned NOT NULL DEFAULT '0',
  `houseid` tinyint unsigned NOT NULL DEFAULT '7',
  `itemguid` int unsigned NOT NULL DEFAULT '0',
  `itemowner` int unsigned NOT NULL DEFAULT '0',
  `buyoutprice` int unsigned NOT NULL DEFAULT '0',
  `time` int unsigned NOT NULL DEFAULT '0',
  `buyguid` int unsigned NOT NULL DEFAULT '0',
  `lastbid` int unsigned NOT NULL DEFAULT '0',
  `startbid` int unsigned NOT NULL DEFAULT '0',
  `deposit` int unsigned NOT NULL DEFAULT '0',
  `Flags` tinyint unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`),
  UNIQUE KEY `item_guid` (`itemguid`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `mail` (
  `id` int unsigned NOT NULL DEFAULT '0',
  `messageType` tinyint unsigned NOT NULL DEFAULT '0',
  `stationery` tinyint NOT NULL DEFAULT '41',
  `mailTemplateId` smallint unsigned NOT NULL DEFAULT '0',
  `sender` int unsigned NOT NULL DEFAULT '0',
  `receiver` int unsigned NOT NULL DEFAULT '0',
  `subject` longtext,
  `body` longtext,
  `has_items` tinyint unsigned NOT NULL DEFAULT '0',
  `expire_time` int unsigned NOT NULL DEFAULT '0',
  `deliver_time` int unsigned NOT NULL DEFAULT '0',
  `money` int unsigned NOT NULL DEFAULT '0',
  `cod` int unsigned NOT NULL DEFAULT '0',
  `checked` tinyint unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`),
  KEY `idx_receiver` (`receiver`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `mail_items` (
  `mail_id` int unsigned NOT NULL DEFAULT '0',
  `item_guid` int unsigned NOT NULL DEFAULT '0',
  `receiver` int unsigned NOT NULL DEFAULT '0',
  PRIMARY KEY (`item_guid`),
  KEY `idx_receiver` (`receiver`),
  KEY `idx_mail_id` (`mail_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE `gm_ticket` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `type` tinyint unsigned NOT NULL DEFAULT '0',
  `playerGuid` int unsigned NOT NULL DEFAULT '0',
  `name` varchar(12) NOT NULL,
  `description` text NOT NULL,
  `createTime` int unsigned NOT NULL DEFAULT '0',
  `mapId` smallint unsigned NOT NULL DEFAULT '0',
  `posX` float NOT NULL DEFAULT '0',
  `posY` float NOT NULL DEFAULT '0',
  `posZ` float NOT NULL DEFAULT '0',
  `lastModifiedTime` int unsigned NOT NULL DEFAULT '0',
  `closedBy` int NOT NULL DEFAULT '0',
  `assignedTo` int unsigned NOT NULL DEFAULT '0',
  `comment` text NOT NULL,
  `response` text NOT NULL,
  `completed` tinyint unsigned NOT NULL DEFAULT '0',
  `escalated` tinyint unsigned NOT NULL DEFAULT '0',
  `viewed` tinyint unsigned NOT NULL DEFAULT '0',
  `needMoreHelp` tinyint unsigned NOT NULL DEFAULT '0',
  `resolvedBy` int NOT NULL DEFAULT '0',
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO `characters`
  (`guid`, `account`, `name`, `race`, `class`, `gender`, `level`, `xp`, `money`, `map`, `zone`, `position_x`,
   `position_y`, `position_z`, `taximask`, `online`, `totaltime`, `leveltime`, `logout_time`, `playerFlags`, `at_login`,
   `totalHonorPoints`, `arenaPoints`, `totalKills`) VALUES
  (11, 11, 'Warden', 1, 2, 0, 80, 0, 700, 0, 1519, -8830.00, 620.00, 94.00, '', 1, 5000, 400, 1750000000, 8, 1, 30, 5, 2),
  (12, 11, 'Crafter', 5, 8, 1, 45, 900, 12345678, 1, 1637, 1600.00, -4400.00, 10.00, '', 1, 90000, 10, 1750000001, 0, 0, 0, 0, 0),
  (13, 11, 'Quester', 4, 4, 0, 9, 77, 1, 1, 141, 10.00, 20.00, 30.00, '', 1, 100, 50, 1750000002, 0, 0, 0, 0, 0);
INSERT INTO `characters`
  (`guid`, `account`, `name`, `race`, `class`, `gender`, `level`, `taximask`, `deleteInfos_Account`, `deleteInfos_Name`,
   `deleteDate`) VALUES (14, 0, NULL, 2, 1, 0, 33, '', 12, 'Ghosted', 1745000000);

INSERT INTO `item_instance`
  (`guid`, `itemEntry`, `owner_guid`, `creatorGuid`, `count`, `charges`, `flags`, `enchantments`, `randomPropertyId`,
   `durability`) VALUES
  (101, 19019, 11, 0, 1, '0 0 0 0 0', 1, '3789 0 0 2 600000 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0', 0, 80),
  (102, 828, 11, 12, 1, NULL, 0, '', 0, 0),
  (103, 117, 11, 0, 15, '-1 0 0 0 0', 0, '', 0, 0),
  (104, 118, 11, 0, 3, '-1 0 0 0 0', 0, '', -25, 0),
  (105, 2589, 11, 0, 20, NULL, 0, '', 0, 0),
  (106, 17182, 11, 0, 1, NULL, 1, '', 0, 0),
  (107, 999999, 11, 0, 1, NULL, 0, '', 0, 0),
  (201, 2589, 12, 0, 20, NULL, 0, '', 0, 0), (202, 2589, 12, 0, 10, NULL, 0, '', 0, 0),
  (203, 2589, 3, 0, 1, NULL, 0, '', 0, 0), (204, 2589, 3, 0, 5, NULL, 0, '', 0, 0),
  (205, 2589, 3, 0, 20, NULL, 0, '', 0, 0), (206, 8190, 12, 0, 1, NULL, 0, '', 0, 75),
  (207, 43102, 0, 0, 1, NULL, 0, '', 0, 0),
  (301, 117, 13, 0, 5, NULL, 0, '', 0, 0), (302, 118, 13, 0, 5, NULL, 0, '', 0, 0), (303, 159, 13, 0, 5, NULL, 0, '', 0, 0);

INSERT INTO `character_inventory` (`guid`, `bag`, `slot`, `item`) VALUES
  (11, 0, 15, 101), (11, 0, 19, 102), (11, 0, 23, 103), (11, 102, 2, 104), (11, 0, 39, 105), (11, 0, 66, 106), (11, 0, 86, 107);

INSERT INTO `character_queststatus`
  (`guid`, `quest`, `status`, `explored`, `timer`, `mobcount1`, `itemcount1`, `playercount`) VALUES
  (13, 7, 3, 0, 1750000000, 4, 0, 0), (13, 60, 1, 0, 4000000000, 0, 8, 0), (13, 783, 5, 1, 0, 0, 0, 0), (13, 15, 0, 0, 0, 0, 0, 0);
INSERT INTO `character_queststatus_rewarded` (`guid`, `quest`) VALUES (13, 5261), (13, 33), (11, 7);
INSERT INTO `character_queststatus_daily` (`guid`, `quest`, `time`) VALUES (13, 788, 1750000000);

INSERT INTO `character_banned` (`guid`, `bandate`, `unbandate`, `bannedby`, `banreason`, `active`) VALUES
  (12, 1740000000, 1740000000, 'Warden', 'Sold air', 1), (13, 1740000000, 1740003600, 'Warden', 'Ran out', 1);

INSERT INTO `guild_member` (`guildid`, `guid`, `rank`) VALUES (1, 11, 1), (1, 12, 1);
INSERT INTO `guild_rank` (`guildid`, `rid`, `rname`, `rights`, `BankMoneyPerDay`) VALUES
  (1, 0, 'Head of the Lab', 1962495, 4294967295), (1, 1, 'Technician', 67, 50000), (1, 2, 'Visitor', 64, 0);
INSERT INTO `guild_bank_tab` (`guildid`, `TabId`, `TabName`) VALUES (1, 0, 'Glass'), (1, 1, 'Paint');

INSERT INTO `auctionhouse`
  (`id`, `houseid`, `itemguid`, `itemowner`, `buyoutprice`, `time`, `buyguid`, `lastbid`, `startbid`, `deposit`) VALUES
  (1, 2, 201, 12, 2000, 4000000000, 0, 0, 900, 30), (2, 2, 202, 12, 500, 4000000000, 0, 0, 400, 15),
  (3, 6, 203, 3, 300, 4000000000, 11, 250, 200, 1), (4, 7, 204, 3, 0, 1700000000, 0, 0, 10, 1),
  (5, 6, 205, 3, 2000, 4000000000, 0, 0, 1500, 30), (6, 2, 206, 12, 990000, 4000000000, 0, 0, 500000, 8000),
  (7, 7, 207, 0, 150000, 4000000000, 0, 0, 100000, 0);

-- What mails say is never read: a test looks for it in the answers.
INSERT INTO `mail`
  (`id`, `messageType`, `sender`, `receiver`, `subject`, `body`, `has_items`, `expire_time`, `deliver_time`, `money`, `cod`,
   `checked`) VALUES
  (1, 0, 11, 13, 'a subject never read', 'a body never read', 1, 4000000000, 1700000000, 0, 250, 0),
  (2, 0, 12, 13, 'a subject never read', 'a body never read', 0, 4000000000, 1700000100, 500, 0, 1),
  (3, 2, 2, 13, '2589:0:2:0:0', '', 1, 3900000000, 1700000200, 25, 0, 0),
  (4, 0, 11, 13, 'a subject never read', 'a body never read', 0, 4000000000, 3950000000, 0, 0, 2),
  (5, 3, 197, 13, 'a subject never read', 'a body never read', 0, 1710000000, 1700000300, 0, 0, 16),
  (6, 0, 13, 12, 'a subject never read', 'a body never read', 0, 4000000000, 1700000000, 0, 0, 0);
INSERT INTO `mail_items` (`mail_id`, `item_guid`, `receiver`) VALUES (1, 301, 13), (1, 302, 13), (3, 303, 13);

INSERT INTO `gm_ticket`
  (`id`, `type`, `playerGuid`, `name`, `description`, `createTime`, `mapId`, `posX`, `posY`, `posZ`, `lastModifiedTime`,
   `closedBy`, `assignedTo`, `comment`, `response`, `completed`, `escalated`, `viewed`, `needMoreHelp`) VALUES
  (1, 0, 13, 'Quester', 'The candles do not burn.', 1748000000, 1, 10, 20, 30, 1748000100, 0, 11, 'He ate them.', '', 0, 1, 1, 0),
  (2, 0, 12, 'Crafter', REPEAT('ha ', 400), 1748000500, 1, 1600, -4400, 10, 1748000500, 0, 0, '', '', 0, 0, 0, 0),
  (3, 1, 13, 'Quester', 'Stuck in a wall.', 1747000000, 1, 11, 21, 31, 1747000900, 11, 11, '', 'Walk backwards.', 1, 0, 1, 0),
  (4, 1, 3, 'Probe', 'Never mind.', 1747000000, 1, 11, 21, 31, 1747000900, -1, 0, '', '', 0, 0, 0, 1);

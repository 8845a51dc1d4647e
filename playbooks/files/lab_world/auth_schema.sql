-- Which updates were applied to this database; as the world server itself keeps them.
CREATE TABLE `updates` (
  `name` varchar(200) NOT NULL COMMENT 'file name of the update',
  `hash` char(40) DEFAULT '' COMMENT 'SHA-1 of the file',
  `state` enum('RELEASED','ARCHIVED','CUSTOM') NOT NULL DEFAULT 'RELEASED',
  `timestamp` timestamp NOT NULL DEFAULT current_timestamp() COMMENT 'when it was applied',
  `speed` int(10) unsigned NOT NULL DEFAULT 0 COMMENT 'milliseconds it took',
  PRIMARY KEY (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='Applied updates';
INSERT INTO `updates` (`name`, `hash`, `state`, `timestamp`, `speed`) VALUES
('2026_01_10_00_auth.sql', '8e296a067a37563370ded05f5a3bf3ec55667788', 'RELEASED', '2026-02-01 09:00:01', 3);

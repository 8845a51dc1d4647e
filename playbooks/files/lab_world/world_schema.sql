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
('2026_01_10_00_world.sql', '1f0e3dad99908345f7439f8ffabdffc4f0c2d2a1', 'ARCHIVED', '2026-02-01 09:00:00', 12),
('2026_03_02_00_world.sql', '98f13708210194c475687be6106a3b84e8c5a1b0', 'RELEASED', '2026-03-05 18:30:00', 40),
('2026_03_02_01_world.sql', '3c59dc048e8850243be8079a5c74d079d3a1c0ff', 'RELEASED', '2026-03-05 18:30:00', 7),
('2026_05_20_00_world_quests.sql', 'b6d767d2f8ed5d21a44b0e5886680cb92a3b4c5d', 'RELEASED', '2026-05-21 07:15:00', 310),
('custom_lab_places.sql', '37693cfc748049e45d87b8c7d8b9aacd00112233', 'CUSTOM', '2026-06-01 12:00:00', 5);

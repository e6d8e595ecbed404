-- What people are asked about, and what somebody may have died over, falls due in any process, whoever has the tool.
UPDATE action SET place = '' WHERE state IN ('held', 'dispatching') AND place <> '';

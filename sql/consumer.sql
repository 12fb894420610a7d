--
-- Proves what consumers are handed out and when: in order, once, again when a lease has ended, one by
-- one for a vulnerability; what acknowledging, rewinding and forgetting leave; and whose they are.
--
BEGIN;
DELETE FROM clair.notification; -- other tests may have left some
CREATE ROLE regress_clair_reader;
CREATE ROLE regress_clair_team;
CREATE ROLE regress_clair_member IN ROLE regress_clair_team;
GRANT USAGE ON SCHEMA clair TO regress_clair_reader, regress_clair_team;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA clair TO regress_clair_reader, regress_clair_team;

-- A consumer is its maker's, and its name is that of a channel
SET ROLE regress_clair_team;
SELECT clair.create_consumer('pager', lease => '1 microsecond');
SELECT clair.create_consumer('turns', 'High', images => '{web%}', in_order => true, lease => '1 hour');
RESET ROLE;
SELECT name, owner, minimum_severity, fixable_only, exploited_only, images, namespaces, in_order, lease
FROM clair.consumer
ORDER BY name;
SAVEPOINT s;
SELECT clair.create_consumer('pager');
ROLLBACK TO s;
SELECT clair.create_consumer('Pager');
ROLLBACK TO s;
SELECT clair.create_consumer('');
ROLLBACK TO s;
SELECT clair.create_consumer(repeat('x', 58));
ROLLBACK TO s;
SELECT clair.create_consumer(repeat('x', 57));
SELECT clair.drop_consumer(repeat('x', 57));
SELECT clair.create_consumer('x', lease => '0');
ROLLBACK TO s;
SELECT clair.create_consumer('x', images => '{}');
ROLLBACK TO s;
SELECT clair.create_consumer('x', fixable_only => NULL);
ROLLBACK TO s;

-- What is given is changed, and nothing else
SELECT clair.alter_consumer('turns', 'Low', namespaces => '{debian:%}');
SELECT minimum_severity, fixable_only, images, namespaces, in_order, lease FROM clair.consumer WHERE name = 'turns';

-- Others may not touch it, members of its owner may
SET ROLE regress_clair_reader;
SELECT * FROM clair.next_notifications('pager');
ROLLBACK TO s;
SET ROLE regress_clair_reader;
SELECT clair.acknowledge('pager', 1);
ROLLBACK TO s;
SET ROLE regress_clair_reader;
SELECT clair.alter_consumer('pager', 'High');
ROLLBACK TO s;
SET ROLE regress_clair_reader;
SELECT clair.drop_consumer('pager');
ROLLBACK TO s;
SELECT * FROM clair.next_notifications('nobody');
ROLLBACK TO s;
SELECT * FROM clair.next_notifications('pager', 0);
ROLLBACK TO s;
SET ROLE regress_clair_member;
SELECT * FROM clair.next_notifications('pager');
RESET ROLE;

-- Six notifications: the first, third and fifth are of one vulnerability
INSERT INTO clair.notification (id, run, updater, vulnerability, reason, changes, severity, images)
OVERRIDING SYSTEM VALUE
SELECT n, 1, 'debian', 'CVE-2031-' || CASE WHEN n % 2 = 1 THEN 1 ELSE n END, 'changed', '{severity}', 'High', n
FROM generate_series(1, 6) AS n;
INSERT INTO clair.delivery (consumer, notification, vulnerability)
SELECT c.name, n.id, n.vulnerability FROM clair.consumer AS c, clair.notification AS n WHERE n.run = 1 AND n.id < 7;

-- One by one for a vulnerability, again after the lease, which is over at once
SELECT notification, attempt, run, updater, vulnerability, reason, changes, severity, images
FROM clair.next_notifications('pager', 2);
SELECT notification, attempt FROM clair.next_notifications('pager');
SELECT clair.acknowledge('pager', 1), clair.acknowledge('pager', 1), clair.acknowledge('pager', 7);
SELECT notification, attempt FROM clair.next_notifications('pager');
SELECT clair.acknowledge('pager', ARRAY[3, 4, 4, 1, NULL]);
SELECT notification, attempt FROM clair.next_notifications('pager');
SELECT pending, acknowledged, position FROM clair.consumer_status WHERE name = 'pager';
SELECT clair.acknowledge_until('pager', 5);
SELECT pending, acknowledged, position FROM clair.consumer_status WHERE name = 'pager';

-- In order: everything, but nothing as long as something earlier is handed out
SELECT notification, attempt FROM clair.next_notifications('turns', 3);
SELECT notification, attempt FROM clair.next_notifications('turns', 3);
SELECT clair.acknowledge('turns', ARRAY[2, 3]);
SELECT notification, attempt FROM clair.next_notifications('turns', 3);
SELECT pending, handed_out, acknowledged, cancelled, dead, position FROM clair.consumer_status WHERE name = 'turns';
SELECT clair.acknowledge('turns', 1);
SELECT notification, attempt FROM clair.next_notifications('turns', 2);
-- Its lease ends: 4 and 5 come again, before 6
UPDATE clair.delivery SET due_at = now() WHERE consumer = 'turns' AND due_at > now();
SELECT notification, attempt FROM clair.next_notifications('turns');

-- Given up is not handed out again, unless rewound; nor is what was cancelled
UPDATE clair.delivery SET state = 'dead' WHERE consumer = 'turns' AND notification = 4;
UPDATE clair.delivery SET state = 'cancelled' WHERE consumer = 'turns' AND notification = 5;
UPDATE clair.delivery SET due_at = now() WHERE consumer = 'turns' AND due_at > now();
SELECT notification, attempt FROM clair.next_notifications('turns');
SELECT clair.rewind_consumer('turns', 2);
SELECT notification, attempt FROM clair.next_notifications('turns', 2);

-- Who is reminded
UPDATE clair.delivery SET due_at = now() WHERE consumer = 'turns' AND notification = 4;
SELECT * FROM clair.renotify();
SELECT clair.acknowledge_until('pager', 6);
SELECT * FROM clair.renotify();

-- What is old and done by all is forgotten; 3, 4 and 6 are not
SELECT clair.forget_notifications('1 hour');
UPDATE clair.notification SET created_at = now() - interval '2 hours' WHERE id < 7;
SELECT clair.forget_notifications('1 hour');
SELECT id FROM clair.notification ORDER BY id;
SELECT consumer, notification, state FROM clair.delivery ORDER BY 1, 2;
SELECT clair.drop_consumer('turns');
SELECT consumer, notification, state FROM clair.delivery ORDER BY 1, 2;
SELECT clair.forget_notifications('1 hour');
SELECT count(*) FROM clair.delivery;
ROLLBACK;

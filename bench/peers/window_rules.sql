-- A score that changes by time alone at instants that are known: what happened within the last 30 days
INSERT INTO lead_scoring.score (name, record_type, kind, history) VALUES ('windowed', 'contact', 'engagement', 'none');
INSERT INTO lead_scoring.score_group (score, name, kind) VALUES ('windowed', 'recent', 'engagement');
INSERT INTO lead_scoring.rule (score, group_name, name, source, criterion, points, within) VALUES
  ('windowed', 'recent', 'meeting', 'activity', $$type = 'meeting_booked'$$, 10, '30 days'),
  ('windowed', 'recent', 'webinar', 'activity', $$type = 'webinar'$$,        5,  '30 days');

-- +goose Up
-- How a session began: whether a second step was shown, when the person last
-- proved who they are, and, sealed, the browser and the network it came from,
-- by which its owner knows it again in their list of devices.
ALTER TABLE session ADD COLUMN strong BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE session ADD COLUMN proved_at instant NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN browser sealed;
ALTER TABLE session ADD COLUMN network sealed;

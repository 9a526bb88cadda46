-- +goose Up
-- A link of somebody who was vouched for ends with the password and the address
-- that its account had.
CREATE INDEX vouch_account ON vouch (account_id) WHERE ended_at IS NULL AND used_at IS NULL;

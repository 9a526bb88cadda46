-- +goose Up
-- How often the owner of an account was asked lately.
CREATE INDEX conversion_account ON conversion (account_id, asked_at);

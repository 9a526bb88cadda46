-- +goose Up
-- Whether somebody shows that they are here; nobody does who has not said so.
-- When they were here is kept nowhere: see web/presence.go.
ALTER TABLE chat_choice ADD COLUMN shows_here BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Up
-- Since when a member has the role they have; not set: since they came.
ALTER TABLE practitioner ADD COLUMN role_since instant;

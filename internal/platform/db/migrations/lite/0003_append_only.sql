-- +goose Up
-- The trail is written once. Whoever can change the schema can undo this; the
-- chain of signatures is what finds that out.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
-- +goose StatementEnd

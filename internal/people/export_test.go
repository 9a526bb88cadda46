package people

import (
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
)

// TellOfClosing has the job run once more.
func TellOfClosing(tx *db.Tx, p id.Practice) error { return closingNews.Enqueue(tx, "", news{p}) }

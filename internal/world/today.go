package world

import (
	"time"

	"icouch/internal/base/civil"
)

func civilToday(now time.Time) civil.Date { return civil.DateOf(now, civil.Zone{}) }

package civil

import (
	_ "embed" // the lists of zones
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // so that a machine without zone files knows them too

	"icouch/internal/base/fault"
)

// ErrZone refuses a time zone that is not on the list.
var ErrZone = fault.New(fault.Invalid, "Choose your time zone from the list: the city nearest to you that keeps the same time.")

// Zone is a place's time with all its changes of clocks, by its IANA name.
// The zero Zone is UTC. Zones compare with ==.
type Zone struct{ z *zone }

// Group is a part of the world and its zones, for a list to choose from.
type Group struct {
	Name  string // "America"
	Zones []Zone // by label
}

type zone struct {
	name, region, label, city string
	load                      func() *time.Location
}

// UTC is the zone of machines.
const UTC = "UTC"

// ParseZone returns the zone of that name, in the spelling of today: a browser
// that still says Asia/Calcutta gets Asia/Kolkata.
func ParseZone(name string) (Zone, error) {
	all := atlas()
	name = strings.TrimSpace(name)
	if today, old := all.alias[name]; old {
		name = today
	}
	z, ok := all.byName[name]
	if !ok {
		return Zone{}, ErrZone
	}
	return z, nil
}

// Zones returns all zones in groups: "Often used" first, then the regions by
// name. A zone often used is in its region as well.
func Zones() []Group { return atlas().groups }

// String returns the IANA name, "America/New_York".
func (z Zone) String() string { return z.get().name }

// Region returns the part of the world, "America".
func (z Zone) Region() string { return z.get().region }

// Label returns what a list shows, "New York" or "Knox, Indiana".
func (z Zone) Label() string { return z.get().label }

// City returns the city the zone is named for, "New York".
func (z Zone) City() string { return z.get().city }

// ZoneCity names the zone in a sentence: "New York time". Never "EST": few
// know it, and for half of the year it is wrong.
func (z Zone) ZoneCity() string {
	if z.get().name == UTC {
		return UTC
	}
	return z.City() + " time"
}

// Load returns the zone for package time.
func (z Zone) Load() *time.Location { return z.get().load() }

func (z Zone) get() *zone {
	if z.z == nil {
		return atlas().byName[UTC].z
	}
	return z.z
}

//go:embed zones.txt
var zoneNames string

//go:embed aliases.txt
var zoneAliases string

// often lists the zones most clients choose, in the order shown.
var often = [...]string{
	"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
	"America/Anchorage", "Pacific/Honolulu", "America/Toronto", "America/Vancouver", "America/Halifax",
	"Europe/London", "Europe/Dublin", "Europe/Paris", "Europe/Berlin", "Australia/Sydney", "Pacific/Auckland",
}

// spelled lists the cities whose name is not the IANA one with spaces.
var spelled = map[string]string{
	"Asuncion": "Asunción", "Bogota": "Bogotá", "Cancun": "Cancún", "Ciudad_Juarez": "Ciudad Juárez", "Cordoba": "Córdoba",
	"Curacao": "Curaçao", "DumontDUrville": "Dumont d’Urville", "Eirunepe": "Eirunepé", "Maceio": "Maceió",
	"Mazatlan": "Mazatlán", "Merida": "Mérida", "Miquelon": "Saint-Pierre-et-Miquelon", "Reunion": "Réunion",
	"Santarem": "Santarém", "Sao_Paulo": "São Paulo", "Sao_Tome": "São Tomé", "Zurich": "Zürich",
	"St_Barthelemy": "Saint-Barthélemy", "St_Helena": "St. Helena", "St_Johns": "St. John’s", "St_Kitts": "St. Kitts",
	"St_Lucia": "St. Lucia", "St_Thomas": "St. Thomas", "St_Vincent": "St. Vincent",
}

// spelledRegions lists the regions that need more than their IANA name.
var spelledRegions = map[string]string{
	"Atlantic": "Atlantic Ocean", "Indian": "Indian Ocean", "Pacific": "Pacific Ocean", UTC: "No place",
}

type world struct {
	byName map[string]Zone
	alias  map[string]string
	groups []Group
}

// atlas reads the lists once. A zone's rules are loaded when first asked for.
var atlas = sync.OnceValue(func() world {
	w := world{byName: map[string]Zone{}, alias: map[string]string{}}
	byRegion := map[string][]Zone{}
	for name := range strings.FieldsSeq(zoneNames) {
		z := Zone{newZone(name)}
		w.byName[name] = z
		byRegion[z.z.region] = append(byRegion[z.z.region], z)
	}
	for line := range strings.Lines(zoneAliases) {
		old, today, _ := strings.Cut(strings.TrimSpace(line), " ")
		w.alias[old] = today
	}
	first := Group{Name: "Often used"}
	for _, name := range often {
		first.Zones = append(first.Zones, w.byName[name])
	}
	w.groups = append(w.groups, first)
	for region, zones := range byRegion {
		slices.SortFunc(zones, func(a, b Zone) int { return strings.Compare(lastPart(a), lastPart(b)) })
		w.groups = append(w.groups, Group{region, zones})
	}
	slices.SortFunc(w.groups[1:], func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return w
})

// newZone reads "America/Indiana/Knox": Knox in Indiana, in America.
func newZone(name string) *zone {
	parts := strings.Split(name, "/")
	city := spell(parts[len(parts)-1])
	label := city
	if len(parts) == 3 {
		label += ", " + spell(parts[1])
	}
	region := parts[0]
	if r, ok := spelledRegions[region]; ok {
		region = r
	}
	return &zone{name, region, label, city, sync.OnceValue(func() *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			panic("civil: the embedded zones lack " + name)
		}
		return loc
	})}
}

func spell(part string) string {
	if s, ok := spelled[part]; ok {
		return s
	}
	return strings.ReplaceAll(part, "_", " ")
}

// lastPart orders as the label does, but without its accents.
func lastPart(z Zone) string { return z.z.name[strings.LastIndex(z.z.name, "/")+1:] }

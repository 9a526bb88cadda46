package trail

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"icouch/internal/access"
	"icouch/internal/audit"
	"icouch/internal/base/id"
)

// The trail as FHIR R4 AuditEvents, one JSON object a line, so that another
// system can take it over. Of clients it has the identifiers alone.

type (
	fhirCoding struct {
		System  string `json:"system,omitempty"`
		Code    string `json:"code"`
		Display string `json:"display,omitempty"`
	}
	fhirConcept struct {
		Coding []fhirCoding `json:"coding"`
	}
	fhirReference struct {
		Reference string `json:"reference,omitempty"`
		Display   string `json:"display,omitempty"`
	}
	fhirAgent struct {
		Role      []fhirConcept  `json:"role,omitempty"`
		Who       *fhirReference `json:"who,omitempty"`
		Requestor bool           `json:"requestor"`
	}
	fhirSource struct {
		Observer fhirReference `json:"observer"`
	}
	fhirDetail struct {
		Type        string `json:"type"`
		ValueString string `json:"valueString"`
	}
	fhirEntity struct {
		What   fhirReference `json:"what"`
		Detail []fhirDetail  `json:"detail,omitempty"`
	}
	fhirEvent struct {
		ResourceType   string        `json:"resourceType"`
		ID             string        `json:"id"`
		Type           fhirCoding    `json:"type"`
		Subtype        []fhirCoding  `json:"subtype"`
		Action         string        `json:"action"`
		Recorded       string        `json:"recorded"`
		Outcome        string        `json:"outcome"`
		PurposeOfEvent []fhirConcept `json:"purposeOfEvent,omitempty"`
		Agent          []fhirAgent   `json:"agent"`
		Source         fhirSource    `json:"source"`
		Entity         []fhirEntity  `json:"entity,omitempty"`
	}
)

// purposes are the rights in HL7's words.
var purposes = map[access.Why]string{access.Self: "PATRQT", access.Care: "TREAT", access.CareTeam: "TREAT", access.Supervision: "TREAT",
	access.Office: "HOPERAT", access.ByEmergency: "BTG", access.Acting: "FAMRQT", access.Together: "TREAT"}

// AuditEvent is a line as FHIR has it.
func (l Line) AuditEvent(practice id.Practice) ([]byte, error) {
	e := fhirEvent{ResourceType: "AuditEvent", ID: practice.String() + "-" + strconv.FormatInt(l.Seq, 10), Recorded: l.At.UTC().Format("2006-01-02T15:04:05.000000Z"), Outcome: "0",
		Type:    fhirCoding{"http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"},
		Subtype: []fhirCoding{{"urn:icouch:trail", string(l.Did), ""}}, Action: deedOf(l.Did), Source: fhirSource{fhirReference{Reference: "Organization/" + practice.String()}}}
	who := &fhirReference{Display: l.By}
	switch {
	case l.Account == "":
		who.Display = string(l.Role)
	case l.Role == access.Client:
		who.Reference = "Patient/" + l.Client.String()
		if l.Client == "" {
			who.Reference, who.Display = "", "client"
		}
	case l.Role == access.Contact:
		who.Display = "contact" // a related person, who has no resource of their own here
	default:
		who.Reference = "Practitioner/" + l.Account.String()
	}
	e.Agent = []fhirAgent{{Role: []fhirConcept{{[]fhirCoding{{"urn:icouch:role", string(l.Role), ""}}}}, Who: who, Requestor: true}}
	why := map[string]bool{}
	for _, s := range l.Shown {
		e.Entity = append(e.Entity, fhirEntity{fhirReference{Reference: "Patient/" + s.Client.String()}, []fhirDetail{{"part", string(s.Part)}, {"why", string(s.Why)}}})
		if code := purposes[s.Why]; code != "" && !why[code] {
			why[code] = true
			e.PurposeOfEvent = append(e.PurposeOfEvent, fhirConcept{[]fhirCoding{{"http://terminology.hl7.org/CodeSystem/v3-ActReason", code, ""}}})
		}
	}
	if len(l.Shown) == 0 && l.Client != "" {
		e.Entity = []fhirEntity{{fhirReference{Reference: "Patient/" + l.Client.String()}, detailsOf(l)}}
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("audit event %d: %w", l.Seq, err)
	}
	return b, nil
}

func detailsOf(l Line) (all []fhirDetail) {
	if len(l.Fields) > 0 {
		all = append(all, fhirDetail{"fields", strings.Join(l.Fields, " ")})
	}
	return all
}

// deedOf is C, R, U, D or E.
func deedOf(a audit.Action) string {
	switch {
	case a == audit.Seen, KindOf(a) == Exports:
		return "R"
	case a == audit.ClientCreated, a == audit.ClientsImported, a == audit.ContactAdded, a == audit.MessageSent:
		return "C"
	case KindOf(a) == Changes:
		return "U"
	}
	return "E"
}

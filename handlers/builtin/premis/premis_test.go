package premis

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files")

// model is that of the elements which this package writes, by version 3.0 of the schema.
var model = builtintest.XMLModel{
	"premis":                  "object+ event* agent* rights*",
	"object":                  "objectIdentifier+ objectCharacteristics* originalName? storage* relationship*",
	"objectIdentifier":        "objectIdentifierType objectIdentifierValue",
	"objectCharacteristics":   "compositionLevel? fixity* size? format+ creatingApplication*",
	"fixity":                  "messageDigestAlgorithm messageDigest messageDigestOriginator?",
	"format":                  "formatDesignation formatRegistry? formatNote*",
	"formatDesignation":       "formatName formatVersion?",
	"formatRegistry":          "formatRegistryName formatRegistryKey formatRegistryRole?",
	"creatingApplication":     "creatingApplicationName? creatingApplicationVersion? dateCreatedByApplication?",
	"storage":                 "contentLocation",
	"contentLocation":         "contentLocationType contentLocationValue",
	"relationship":            "relationshipType relationshipSubType relatedObjectIdentifier+",
	"relatedObjectIdentifier": "relatedObjectIdentifierType relatedObjectIdentifierValue",
	"event": "eventIdentifier eventType eventDateTime eventDetailInformation* eventOutcomeInformation* " +
		"linkingAgentIdentifier* linkingObjectIdentifier*",
	"eventIdentifier":         "eventIdentifierType eventIdentifierValue",
	"eventDetailInformation":  "eventDetail?",
	"eventOutcomeInformation": "eventOutcome eventOutcomeDetail*",
	"eventOutcomeDetail":      "eventOutcomeDetailNote",
	"linkingAgentIdentifier":  "linkingAgentIdentifierType linkingAgentIdentifierValue linkingAgentRole*",
	"linkingObjectIdentifier": "linkingObjectIdentifierType linkingObjectIdentifierValue linkingObjectRole*",
	"agent":                   "agentIdentifier+ agentName* agentType? agentVersion? agentNote*",
	"agentIdentifier":         "agentIdentifierType agentIdentifierValue",
}

func transfer(t *testing.T) handlertest.FinalizerDryRun {
	t.Helper()
	at := time.Date(2026, time.March, 1, 12, 0, 0, 5000, time.UTC)
	return handlertest.FinalizerDryRun{
		Base: t.TempDir(),
		Args: map[string]any{
			"to": "premis.xml", "organization": map[string]any{"name": "Archive & Co", "identifier": "DE-1", "identifier_type": "ISIL"},
			"events": map[string]any{"convert": "normalization"},
		},
		Transfer: tasks.Transfer{UUID: "0195506f-8c00-7000-8000-000000000001", Name: "Letters <1>", Steps: []tasks.StepProgress{
			{Number: 1, Name: "sums", Handler: "checksum"}, {Number: 2, Name: "identify", Handler: "identify"},
			{Number: 3, Name: "convert", Handler: "exec"},
		}},
		Files: []handlers.FinalFile{
			{
				File: tasks.File{Path: "/in/a b & c.tif", Size: 7, MTime: at}, Transfer: "0195506f-8c00-7000-8000-000000000001",
				Facts: map[string]any{
					"sha256": "AB", "md5": "cd", "puid": "fmt/353", "format": "Tagged Image File Format", "format_version": "6", "format_warning": "by extension",
				},
			},
			{File: tasks.File{Path: "/in/\xff\x1b\n.bin"}, Facts: map[string]any{"puid": "UNKNOWN"}},
			{File: tasks.File{Path: "/in/split", Part: 1, Size: 3}},
			{File: tasks.File{Path: "/in/split", Part: 2, Size: 3}},
		},
		Results: []tasks.Result{
			{Step: 1, File: 1, Outcome: tasks.OutcomeSucceeded, Attempt: 1, EndedAt: at, Facts: json.RawMessage(`{"sha256":"AB"}`)},
			{Step: 2, File: 2, Outcome: tasks.OutcomeWarning, Code: "unknown-format", Error: "no match", Attempt: 1, EndedAt: at},
			{Step: 2, File: 3, Outcome: tasks.OutcomeSucceeded, Attempt: 1, EndedAt: at, Facts: json.RawMessage(`{"sha256":"EF","puid":"fmt/1"}`)},
			{Step: 3, File: 1, Outcome: tasks.OutcomeFailed, Code: "exit-1", Attempt: 2, EndedAt: at},
			{Step: 3, File: 2, Outcome: tasks.OutcomeTimedOut, Code: "timeout", Error: "\x1b[31m too slow", Attempt: 3, EndedAt: at},
		},
	}
}

func TestPremisGolden(t *testing.T) {
	t.Parallel()
	run := transfer(t)
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	file := filepath.Join(run.Base, "premis.xml")
	builtintest.WantXML(t, file, model)
	builtintest.WantSchema(t, file, "premis.xsd")
	text, err := os.ReadFile(file)
	testkit.Must(t, err)
	testkit.Golden(t, "testdata/premis.golden.xml", string(text), *update)
}

// A transfer without files is an object, too: a document has at least one.
func TestPremisOfNothing(t *testing.T) {
	t.Parallel()
	run := transfer(t)
	run.Files, run.Results, run.Args = nil, nil, map[string]any{"to": "premis.xml"}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	builtintest.WantXML(t, filepath.Join(run.Base, "premis.xml"), model)
}

func TestArguments(t *testing.T) {
	t.Parallel()
	builtintest.WantArgs(t, Register, "premis", map[string]any{"to": "/x"}, map[string]any{
		"to is missing":            map[string]any{},
		"organization has no name": map[string]any{"to": "/x", "organization": map[string]any{"identifier": "a"}},
		"there is no argument":     map[string]any{"to": "/x", "into": 1},
	})
}

package premis

import (
	"cmp"
	"strconv"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/identify"
	"github.com/balerhq/baler/internal/xmlstream"
	"github.com/balerhq/baler/tasks"
)

// Namespace is that of PREMIS 3.
const Namespace = "http://www.loc.gov/premis/v3"

// SchemaLocation says where the schema of the namespace is, as xsi:schemaLocation does.
const SchemaLocation = Namespace + " https://www.loc.gov/standards/premis/premis.xsd"

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

// localID is the type of identifiers that Baler gives: they are unique because they begin
// with the UUID of a transfer.
const localID = "local"

// Document writes the parts of a PREMIS document, each by itself or in a container.
type Document struct {
	options  Options
	transfer tasks.Transfer
	now      time.Time
	handlers map[string]string // of the steps, by name
	agents   []agent
}

type agent struct {
	idType, id, name, kind, version, role, note string
}

// NewDocument describes the transfer of a final step.
func NewDocument(c *handlers.TransferJob, o Options) *Document {
	d := &Document{options: o, transfer: c.Transfer(), now: c.Now(), handlers: make(map[string]string)}
	for _, s := range d.transfer.Steps {
		d.handlers[s.Name] = s.Handler
	}
	d.agents = append(d.agents, agent{
		idType: localID, id: "Baler " + c.Version(), name: "Baler", kind: "software", version: c.Version(), role: "executing program",
	})
	if signatures, err := identify.Release(); err == nil {
		d.agents[0].note = "Format signatures: " + signatures
	}
	if org := o.Organization; org.Name != "" {
		d.agents = append(d.agents, agent{
			idType: cmp.Or(org.IdentifierType, localID), id: cmp.Or(org.Identifier, org.Name), name: org.Name,
			kind: "organization", role: "implementer",
		})
	}
	return d
}

// fileID identifies a file: numbers are unique within a transfer.
func fileID(transfer string, no int64) string { return transfer + "/" + strconv.FormatInt(no, 10) }

// root is the namespace, for an element that stands alone.
func (d *Document) root(x *xmlstream.Writer, name, category, namespace string) {
	instance := ""
	if namespace != "" && category != "" {
		instance = schemaInstance
	}
	version := ""
	if namespace != "" {
		version = "3.0"
	}
	x.Start(name, "xmlns", namespace, "xmlns:xsi", instance, "xsi:type", category, "version", version)
}

// identifier writes a pair of elements that identify something: in PREMIS their names begin
// with that of what contains them.
func identifier(x *xmlstream.Writer, name, idType, id string) {
	x.Start(name)
	x.Text(name+"Type", idType)
	x.Text(name+"Value", id)
	x.End()
}

// Transfer writes the object that all files belong to. The namespace is empty within a
// document of PREMIS.
func (d *Document) Transfer(x *xmlstream.Writer, namespace string) {
	d.root(x, "object", "intellectualEntity", namespace)
	identifier(x, "objectIdentifier", "UUID", d.transfer.UUID)
	if d.transfer.Name != "" {
		x.Text("originalName", d.transfer.Name)
	}
	x.End()
}

// Agents are those that took part.
func (d *Document) Agents() []string {
	names := make([]string, len(d.agents))
	for i, a := range d.agents {
		names[i] = a.name
	}
	return names
}

// Agent writes one of Agents.
func (d *Document) Agent(x *xmlstream.Writer, i int, namespace string) {
	a := &d.agents[i]
	d.root(x, "agent", "", namespace)
	identifier(x, "agentIdentifier", a.idType, a.id)
	x.Text("agentName", a.name)
	x.Text("agentType", a.kind)
	if a.version != "" {
		x.Text("agentVersion", a.version)
	}
	if a.note != "" {
		x.Text("agentNote", a.note)
	}
	x.End()
}

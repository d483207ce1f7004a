package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// The rows as GORM sees them. Columns are named as the fields are, in
// snake case, unless a tag says otherwise.

type transferRow struct {
	ID         int64 `gorm:"primaryKey"`
	UUID       string
	Name       string
	IdemKey    *string
	RunKey     string
	Via        tasks.Via
	State      tasks.State
	Queue      string
	Recipe     string
	Sources    []byte // separated by NUL, which no path holds
	Files      int64
	Bytes      int64
	Finished   int64
	Dispatched int64
	SweepMark  int64
	MarkedAt   *time.Time
	PausedAt   *time.Time

	LastPausedAt *time.Time // when the last pause began that is over, and when it ended
	ResumedAt    *time.Time

	Webhooks string // one URL a line

	WebhookEvents string     // of tasks.TransferEvents, with commas; empty: all
	Failing       bool       // its first failure is noted
	Stalled       bool       // it is noted that it stands still
	MovedAt       *time.Time // when a person has let it go on; until then it did not stand still by itself

	Finalizing int // how many final steps it has
	CreatedAt  time.Time
	SeenAt     time.Time
	SealedAt   *time.Time
	EndedAt    *time.Time
	Trouble    string // why Suspend has paused it; empty unless it has
	Selection  []byte // as JSON; NULL: every file

	ProducerToken int64 // of the producer that may register files
	Weight        int
	StopAfter     string // as tasks.StopAfter reads it; empty: never
	Stopped       string // why failures have paused it; empty unless they have

	DeadlineAt       *time.Time // when it ends if it has not ended before; NULL: never
	UpdatedAt        *time.Time `gorm:"autoUpdateTime:false"` // when a person has changed it; NULL: nobody has
	DeadlineExceeded bool       // that has ended it

	Emitted           int64 // files that handlers have emitted
	EmittedRegistered int64 // those of them that are among Files

	SourcesKey  string // the same for transfers of the same sources and selection; empty for lists
	Intake      ledger.Intake
	NoReuse     bool  // its steps take over no results
	ClockShift  int64 // microseconds; see SetClockShift
	ListPaths   int64
	ListDigest  []byte     // of the first ListPaths paths of its list; NULL when there are none
	JournaledAt *time.Time // the EndedAt with which the journal has it
	TraceParent string     // see tasks.Transfer
	BaselineAt  *time.Time // until when earlier transfers of the sources are part of the collection; see AddBaseline
}

// TableName names the table to GORM.
func (transferRow) TableName() string { return "transfers" }

func (r *transferRow) transfer() tasks.Transfer {
	t := tasks.Transfer{
		ID: r.ID, UUID: r.UUID, Name: r.Name, Via: r.Via, State: r.State, Queue: r.Queue, Recipe: r.Recipe,
		Sources: splitSources(r.Sources), Files: r.Files, Bytes: r.Bytes, Finished: r.Finished, Cursor: r.Dispatched,
		CreatedAt: r.CreatedAt, SealedAt: value(r.SealedAt), EndedAt: value(r.EndedAt), PausedAt: value(r.PausedAt),
		Trouble: r.Trouble, Selection: selectionOf(r.Selection), Weight: r.Weight,
		ClockShift: time.Duration(r.ClockShift) * time.Microsecond,
		Emitted:    r.Emitted, NoReuse: r.NoReuse, Stopped: r.Stopped, TraceParent: r.TraceParent,
		DeadlineAt: timeOf(r.DeadlineAt), DeadlineExceeded: r.DeadlineExceeded,
		UpdatedAt:  timeOf(r.UpdatedAt),
		ByRequests: r.Intake == ledger.IntakeRequests, ByServer: r.Intake == ledger.IntakeServer, SeenAt: r.SeenAt.UTC(),
	}
	if r.IdemKey != nil {
		t.Key = *r.IdemKey
	}
	if len(r.ListDigest) == len(t.List.Digest) {
		t.List = tasks.ListMark{Paths: r.ListPaths, Digest: [sha256.Size]byte(r.ListDigest)}
	}
	var err error
	if t.StopAfter, err = tasks.ParseStopAfter(r.StopAfter); err != nil && t.Trouble == "" {
		t.Trouble = fmt.Sprintf("column stop_after: %v", err)
	}
	if err := r.check(); err != nil && t.Trouble == "" && t.State != tasks.StateCanceled { // who cancels it has given it up
		t.Trouble = err.Error()
	}
	return t
}

// check returns an error when the counters contradict each other.
func (r *transferRow) check() error {
	return progress{Files: r.Files, Bytes: r.Bytes, Finished: r.Finished, Dispatched: r.Dispatched}.check()
}

// selectionOf reads a selection. One that cannot be read, after a bad restore, gives an
// invalid pattern, so that it does not select all files.
func selectionOf(column []byte) (s tasks.Selection) {
	if len(column) == 0 {
		return s
	}
	if err := json.Unmarshal(column, &s); err != nil {
		return tasks.Selection{Exclude: []string{string(column) + `\`}}
	}
	return s
}

func selectionColumn(s *tasks.Selection) []byte {
	if s.All() {
		return nil
	}
	column, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts, numbers and a time
	}
	return column
}

func joinSources(paths []string) []byte { return []byte(strings.Join(paths, "\x00")) }

func splitSources(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	parts := bytes.Split(b, []byte{0})
	paths := make([]string, len(parts))
	for i, p := range parts {
		paths[i] = string(p)
	}
	return paths
}

type stepRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	No         int   `gorm:"primaryKey;autoIncrement:false"`
	Name       string
	Handler    string
	Selected   int64
	Succeeded  int64
	Warning    int64
	Skipped    int64
	Failed     int64
	Error      int64
	TimedOut   int64
	Canceled   int64
	Reused     int64

	SeenFailures int64 // that were there when a person resumed the transfer after it had stopped
	SeenResults  int64 // the results of that moment

	Approval tasks.Approval
	Limits   string     // separated by spaces
	AskedAt  *time.Time // when people were told last that it waits for approval

	ApprovedAt *time.Time // when a person has decided

	misread error // what keeps it from being read; see findEach
}

// TableName names the table to GORM.
func (stepRow) TableName() string { return "steps" }

func (r *stepRow) step() tasks.StepProgress {
	return tasks.StepProgress{Number: r.No, Name: r.Name, Handler: r.Handler, Selected: r.Selected, Counts: tasks.Counts{
		Succeeded: r.Succeeded, Warning: r.Warning, Skipped: r.Skipped, Failed: r.Failed,
		Error: r.Error, TimedOut: r.TimedOut, Canceled: r.Canceled,
	}, Reused: r.Reused, Approval: r.Approval, Limits: strings.Fields(r.Limits)}
}

type fileRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	No         int64 `gorm:"primaryKey;autoIncrement:false"`
	Path       []byte
	Size       int64
	Mtime      *time.Time
	ScanError  string
	Part       *int64 // these three only of a part of a file
	ByteOffset *int64
	LineNo     *int64
	ParentNo   *int64 // only of a file that a handler emitted, see emittedRow
	Version    string // only of an object
}

// TableName names the table to GORM.
func (fileRow) TableName() string { return "files" }

func (r *fileRow) file() tasks.File {
	f := tasks.File{No: r.No, Path: string(r.Path), Size: r.Size, MTime: value(r.Mtime), Version: r.Version, ScanError: r.ScanError}
	if r.Part != nil && r.ByteOffset != nil && r.LineNo != nil {
		f.Part, f.Offset, f.Line = *r.Part, *r.ByteOffset, *r.LineNo
	}
	if r.ParentNo != nil {
		f.Emitted = &tasks.Emission{Parent: *r.ParentNo}
	}
	return f
}

// maxPath is the longest path: the size of the column, and the limit of Linux.
const maxPath = 4096

// recordedVersion is what the column holds of a version: nearly always all of it.
func recordedVersion(version string) string {
	const most = 128
	if len(version) <= most && utf8.ValidString(version) {
		return version
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(version)))
}

// size estimates the bytes of the row in a statement.
func (r *fileRow) size() int { return 120 + len(r.Path) + len(r.ScanError) + len(r.Version) }

func newFileRow(transfer int64, f *tasks.File) fileRow {
	if len(f.Path) > maxPath { // recorded against this file; its neighbours go in
		return fileRow{
			TransferID: transfer, No: f.No, Path: []byte(f.Path[:maxPath]),
			ScanError: fmt.Sprintf("name-too-long: a path of %d bytes; %d is the most that can be opened", len(f.Path), maxPath),
		}
	}
	row := fileRow{
		TransferID: transfer, No: f.No, Path: []byte(f.Path), Size: f.Size,
		Mtime: pointer(f.MTime), Version: recordedVersion(f.Version), ScanError: db.ClipText(f.ScanError, 512),
	}
	if f.Part > 0 {
		row.Part, row.ByteOffset, row.LineNo = &f.Part, &f.Offset, &f.Line
	}
	if f.Emitted != nil {
		row.ParentNo = &f.Emitted.Parent
	}
	return row
}

type batchRow struct {
	ID           int64 `gorm:"primaryKey"`
	TransferID   int64
	StepNo       int
	Attempt      int
	Files        string
	Items        int
	Bytes        int64
	Queue        string
	FencingToken int
	Crashes      int
	DueAt        time.Time // of a gathering batch: when it may first run
	CreatedAt    time.Time
	Gathering    bool
	HeldBy       string // the worker that runs it, see HoldBatches
	HeldUntil    *time.Time

	InheritedCrashes int

	Progress *string // JSON; see RecordProgress

	misread error // what keeps it from being read; see findEach
}

// TableName names the table to GORM.
func (batchRow) TableName() string { return "batches" }

func newBatchRow(b *tasks.Batch, now time.Time, grace time.Duration) batchRow {
	due := b.NotBefore
	switch {
	case due.IsZero() && b.Gathering:
		due = now
	case due.IsZero():
		due = now.Add(grace) // the process that writes it enqueues it at once; later the dispatcher looks
	}
	return batchRow{
		TransferID: b.Transfer, StepNo: b.Step, Attempt: b.Attempt, Files: b.Files.String(), Items: b.Items(),
		Bytes: b.Bytes, Queue: b.Queue, FencingToken: b.FencingToken, Crashes: b.Crashes,
		DueAt: due.UTC(), CreatedAt: now, Gathering: b.Gathering, InheritedCrashes: b.InheritedCrashes,
	}
}

// batch reads the row. An error says what in it is invalid.
func (r *batchRow) batch() (tasks.Batch, error) {
	files, err := tasks.ParseRanges(r.Files)
	switch {
	case r.misread != nil:
		err = r.misread
	case err != nil:
		err = fmt.Errorf("column files: %w", err)
	case r.StepNo < 1 || r.Attempt < 1:
		err = fmt.Errorf("step_no is %d and attempt is %d; both count from 1", r.StepNo, r.Attempt)
	case r.FencingToken < 0 || r.FencingToken > maxCount || r.Crashes < 0 || r.Crashes > maxCount:
		err = fmt.Errorf("fencing_token is %d and crashes is %d; both count from 0", r.FencingToken, r.Crashes)
	case r.InheritedCrashes < 0 || r.InheritedCrashes > maxCount:
		err = fmt.Errorf("inherited_crashes is %d; it counts from 0", r.InheritedCrashes)
	case strings.TrimSpace(r.Queue) == "":
		err = errors.New("column queue: empty")
	}
	return tasks.Batch{
		ID: r.ID, Transfer: r.TransferID, Step: r.StepNo, Attempt: r.Attempt, Files: files,
		Bytes: r.Bytes, Queue: r.Queue, FencingToken: r.FencingToken, Crashes: r.Crashes, Gathering: r.Gathering,
		InheritedCrashes: r.InheritedCrashes,
	}, err
}

// maxCount is far above any count of a batch, and below where the column ends.
const maxCount = 1 << 30

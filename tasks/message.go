package tasks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The types of Baler's asynq messages.
const (
	TypeBatch = "baler:batch" // one batch, for a worker
	TypeFile  = "baler:file"  // one file, for the group aggregator

	// TypeNoop does nothing. asynq's aggregator must return a task, also for a set
	// that gave no batch.
	TypeNoop = "baler:nothing"
)

// version is the payload version; there has been only one.
const version = 1

// MaxPayload is above any message of Baler; larger ones are not read.
const MaxPayload = 4 << 10

// maxFilesText bounds the files that a batch message lists, so that no message comes
// near MaxPayload.
const maxFilesText = 1 << 10

// ErrForeignMessage is wrapped by the errors for payloads that Baler did not write.
var ErrForeignMessage = errors.New("not a message of Baler")

// BatchMessage is the message of a batch: numbers, never content. A worker takes the
// batch from the ledger, and runs nothing when the message says something else.
type BatchMessage struct {
	V        int    `json:"v"`
	Batch    int64  `json:"batch"`
	Transfer int64  `json:"transfer"`
	Step     int    `json:"step"`
	Attempt  int    `json:"attempt"`
	Files    string `json:"files"` // ranges; ends with "…" when there are too many to list
}

// NewBatchMessage makes the message of a batch.
func NewBatchMessage(b *Batch) BatchMessage {
	return BatchMessage{V: version, Batch: b.ID, Transfer: b.Transfer, Step: b.Step, Attempt: b.Attempt, Files: listFiles(b.Files)}
}

// listFiles lists as many ranges of files as fit into a message.
func listFiles(files Ranges) string {
	text := files.String()
	if len(text) <= maxFilesText {
		return text
	}
	return text[:strings.LastIndexByte(text[:maxFilesText], ',')+1] + more
}

// more ends a list of files that was cut.
const more = "…"

// SomeFiles returns the files that the message lists, at most a few hundred: not all
// files of a large batch. It is empty when the list cannot be read.
func (m BatchMessage) SomeFiles() Ranges {
	list := strings.TrimSuffix(m.Files, ","+more)
	files, err := ParseRanges(list)
	if err != nil {
		return nil
	}
	return files.first(maxFilesText / 4)
}

// DecodeBatch reads the payload of a TypeBatch task.
func DecodeBatch(payload []byte) (BatchMessage, error) {
	m, err := decode[BatchMessage](payload)
	if err != nil {
		return m, err
	}
	if m.V != version {
		return m, fmt.Errorf("%w: version %d, this program reads %d", ErrForeignMessage, m.V, version)
	}
	if m.Batch < 1 || m.Transfer < 1 || m.Step < 1 || m.Attempt < 1 {
		return m, fmt.Errorf("%w: batch, transfer, step and attempt count from 1", ErrForeignMessage)
	}
	return m, nil
}

// FileMessage is the message of one file, for the aggregator.
type FileMessage struct {
	V        int   `json:"v"`
	Transfer int64 `json:"transfer"`
	Step     int   `json:"step"`
	File     int64 `json:"file"`
	Bytes    int64 `json:"bytes"`
}

// NewFileMessage makes the message of a registered file at the first step that
// selects it.
func NewFileMessage(transfer int64, step int, f *File) FileMessage {
	return FileMessage{V: version, Transfer: transfer, Step: step, File: f.No, Bytes: f.Size}
}

// DecodeFile reads the payload of a TypeFile task.
func DecodeFile(payload []byte) (FileMessage, error) {
	m, ok := scanFile(payload)
	if !ok {
		var err error
		if m, err = decode[FileMessage](payload); err != nil {
			return m, err
		}
	}
	if m.V != version {
		return m, fmt.Errorf("%w: version %d, this program reads %d", ErrForeignMessage, m.V, version)
	}
	if m.Transfer < 1 || m.Step < 1 || m.File < 1 || m.File > maxNumber || m.Bytes < 0 {
		return m, fmt.Errorf("%w: transfer, step and file count from 1, bytes from 0", ErrForeignMessage)
	}
	return m, nil
}

// Encode gives the payload as JSON.
func (m BatchMessage) Encode() []byte { return encode(m) }

func encode(m any) []byte {
	b, err := json.Marshal(m)
	if err != nil { // structs of numbers and strings always marshal
		panic(fmt.Sprintf("encode message: %v", err))
	}
	return b
}

func decode[M any](payload []byte) (M, error) {
	var m M
	if len(payload) > MaxPayload {
		return m, fmt.Errorf("%w: %d bytes, and none has more than %d", ErrForeignMessage, len(payload), MaxPayload)
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrForeignMessage, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("%w: there is data after the message", ErrForeignMessage)
	}
	return m, nil
}

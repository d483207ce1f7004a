package bench

import (
	"os"
	"sync"
	"time"
)

// usage is what processes used, by their kinds. Where the system does not tell,
// the maps are empty.
type usage struct {
	cpu  map[string]float64 // seconds
	peak map[string]int64   // bytes

	stolen float64 // percent of the processors' time that the host gave to others
}

// meter reads what processes use until it is stopped. Those that end meanwhile
// keep what was read last.
type meter struct {
	mu        sync.Mutex
	processes []*metered
	begun     hostTime
	stop      chan struct{}
	ended     sync.WaitGroup
}

type metered struct {
	kind        string
	pid         int
	first, last reading
}

// reading has the figures that the system reports of a process.
type reading struct {
	cpu  time.Duration // since it began
	peak int64         // resident bytes
}

// readEvery is how often a meter looks: a process that ends is at most that old.
const readEvery = 50 * time.Millisecond

func newMeter(pids map[string][]int) *meter {
	m := &meter{stop: make(chan struct{}), begun: readHost()}
	for kind, list := range pids {
		for _, pid := range list {
			m.add(kind, pid)
		}
	}
	m.ended.Go(m.run)
	return m
}

// own adds this process, for what is measured inside it.
func (m *meter) own() { m.add("bench", os.Getpid()) }

// add meters a process that runs already from now on.
func (m *meter) add(kind string, pid int) {
	forgetPeak(pid)
	first, _ := read(pid) // one that cannot be read counts as nothing
	m.put(&metered{kind: kind, pid: pid, first: first, last: first})
}

// born meters a process from its beginning.
func (m *meter) born(kind string, pid int) { m.put(&metered{kind: kind, pid: pid}) }

func (m *meter) put(p *metered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.processes = append(m.processes, p)
}

func (m *meter) run() {
	t := time.NewTicker(readEvery)
	defer t.Stop()
	for {
		m.look()
		select {
		case <-t.C:
		case <-m.stop:
			m.look()
			return
		}
	}
}

func (m *meter) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.processes {
		if now, ok := read(p.pid); ok {
			p.last = now
		}
	}
}

// end stops the meter and tells what it read.
func (m *meter) end() usage {
	close(m.stop)
	m.ended.Wait()
	u := usage{cpu: make(map[string]float64), peak: make(map[string]int64), stolen: readHost().stolenSince(m.begun)}
	for _, p := range m.processes {
		if p.last.peak == 0 {
			continue // nothing could be read
		}
		u.cpu[p.kind] += (p.last.cpu - p.first.cpu).Seconds()
		u.peak[p.kind] = max(u.peak[p.kind], p.last.peak)
	}
	return u
}

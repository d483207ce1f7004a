package simulation

import (
	"container/heap"
	"time"
)

// clock has the events to come.
type clock struct {
	now    time.Time
	events events
	count  int
}

// after plans an event. Events of one time happen in the order in which they were planned.
func (c *clock) after(d time.Duration, do func()) {
	c.count++
	heap.Push(&c.events, event{c.now.Add(d), c.count, do})
}

// next lets the next event happen, and reports whether there was one.
func (c *clock) next() bool {
	if len(c.events) == 0 {
		return false
	}
	e := heap.Pop(&c.events).(event) //nolint:forcetypeassert // all are
	c.now = e.at
	e.do()
	return true
}

type event struct {
	at time.Time
	no int
	do func()
}

// events is a heap of container/heap.
type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].no < e[j].no
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(event)) } //nolint:forcetypeassert // all are

// Pop implements heap.Interface.
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

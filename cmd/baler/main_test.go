package main

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) {
	redis.SetLogger(unheard{})
	testkit.Main(m)
}

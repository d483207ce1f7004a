package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// TakeOversized takes the beginnings of messages that were too large to be read, at most
// a hundred, from a queue; see OversizeHook.
func (p *Producer) TakeOversized(ctx context.Context, queue string) ([][]byte, error) {
	key := "asynq:{" + queue + "}:" + oversizedList
	texts, err := p.redis.LPopCount(ctx, key, maxOversized).Result()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("take messages that are too large: %w", err)
	}
	messages := make([][]byte, len(texts))
	for i, text := range texts {
		messages[i] = []byte(text)
	}
	return messages, nil
}

// OversizedReason says why a message that TakeOversized returns is not used.
func OversizedReason() string {
	return fmt.Sprintf("it has more than %d bytes, and is not read", maxMessage)
}

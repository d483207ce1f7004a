package queue

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// clusterReload is after how long a client in use asks again which server has which keys. By
// itself it does so once a minute, and when a server sends it to another one: one that has died
// sends nothing, and no client would find the replica that took its place before.
const clusterReload = 2 * time.Second

// clusterOpt makes clients of a cluster. It stands for asynq's option of that purpose, which
// sets neither the interval nor the size of the pool.
type clusterOpt struct{ redis.ClusterOptions }

// MakeRedisClient implements asynq.RedisConnOpt.
func (o clusterOpt) MakeRedisClient() any {
	options := o.ClusterOptions
	options.ClusterStateReloadInterval = clusterReload
	return redis.NewClusterClient(&options)
}

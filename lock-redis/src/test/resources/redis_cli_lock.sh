# A lock of redis-cli, by the pattern of Redis's documentation, that one test controls: each line of the input is a
# command, which the script answers with a line.

host=$1 port=$2 key=$3 lease=$4 inside=$5
value=redis-cli-$$
compare_and_delete="if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

redis() {
  redis-cli -h "$host" -p "$port" "$@"
}

acquire() {
  [ "$(redis SET "$key" "$value" NX PX "$lease")" = OK ]
}

release() {
  [ "$(redis EVAL "$compare_and_delete" 1 "$key" "$value")" = 1 ]
}

# Acquires and releases the lock. Prints how often another client was inside at the same time.
work() {
  overlaps=0
  for _ in $(seq "$1"); do
    until acquire; do
      sleep 0.005
    done
    if [ "$(redis SET "$inside" redis-cli NX)" = OK ]; then
      redis DEL "$inside" >/dev/null
    else
      overlaps=$((overlaps + 1))
    fi
    release
  done
  echo "overlaps $overlaps"
}

# Acquires and releases the lock, with a pause of 100 ms, and counts the grants, until a key exists.
contend() {
  stopped=0
  while [ "$stopped" = 0 ]; do
    until acquire; do
      sleep 0.1
    done
    redis INCR "$1" >/dev/null
    stopped=$(redis EXISTS "$2")
    release
  done
}

echo started
while read -r command first second; do
  case $command in
    try) acquire && echo acquired || echo busy ;;
    release) release && echo released || echo lost ;;
    work) work "$first" ;;
    contend) contend "$first" "$second" && echo stopped ;;
  esac
done

# The guard of one command: see the class ProcessGroup. Reads requests, and takes their end for the death of distlock.
trap '' HUP INT QUIT TERM PIPE
patience=$1 # in tenths of a second
group=$2

# A process may start another one and end while the first look passes by.
living() { look || look; }

look() {
  set +f
  # Without /proc, processes of other users are not seen.
  [ -r /proc/self/stat ] || { kill -s 0 -- "-$group"; return; }
  # Not those that have ended, for which nobody waits: processes that lose their parent in a container may stay so. A
  # process whose first thread has ended looks the same, but has more threads.
  for process in /proc/[0-9]*/stat; do
    set -f
    read -r fields <"$process" || continue
    set -- ${fields##*) }
    # The name of a program may contain a line break.
    [ $# -ge 18 ] || { fields=$(cat "$process"); set -- ${fields##*) }; }
    [ "$3" != "$group" ] || { [ "$1" = Z ] && [ "${18}" -le 1 ]; } || return 0
  done
  return 1
}

while read -r request value; do
  case $request in
    group) group=$value ;; # from the shell that becomes the command, which reads no answer
    started)
      group=$value
      until kill -s 0 -- "-$group" || ! kill -s 0 "$group"; do sleep 0.01; done
      echo started
      ;;
    signal)
      # Fails if no process gets the signal.
      if kill -s "$value" -- "-$group"; then echo sent; elif living; then echo refused; else echo nobody; fi
      ;;
    living) if living; then echo yes; else echo no; fi ;;
    patience) patience=$value && echo changed ;;
    ping) echo here ;;
    end) exit ;;
  esac
done

[ "$group" ] || exit
kill -s TERM -- "-$group" || exit
while [ "$patience" -gt 0 ] && living; do
  sleep 0.1
  patience=$((patience - 1))
done
kill -s KILL -- "-$group"

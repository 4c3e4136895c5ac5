# The guard of one command: see the class ProcessGroup. Reads requests, and takes their end for the death of distlock.
trap '' HUP INT QUIT TERM PIPE
patience=$1 # in tenths of a second
group=

living() {
  kill -s 0 -- "-$group" || return 1
  [ -r /proc/self/stat ] || return 0
  # Not those that have ended, for which nobody waits: processes that lose their parent in a container may stay so.
  for process in /proc/[0-9]*/stat; do
    read -r fields <"$process" || continue
    set -- ${fields##*) }
    [ "$3" != "$group" ] || [ "$1" = Z ] || return 0
  done
  return 1
}

while read -r request value; do
  case $request in
    group) group=$value ;;
    started)
      group=$value
      until kill -s 0 -- "-$group" || ! kill -s 0 "$group"; do sleep 0.01; done
      echo started
      ;;
    signal) kill -s "$value" -- "-$group" ;;
    living) if living; then echo yes; else echo no; fi ;;
    patience) patience=$value ;;
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

# The steps of deploy/try-package that are an operator's days: reload, restart, an order to look at, a daemon that is killed.

newest_order() { sql shop 'SELECT max(id) FROM orders WHERE id < 900'; }

reload_good_and_bad() {
  local since pid
  since=$(now) pid=$(property MainPID)
  configure hold 1d
  inside 'systemctl reload conversiond'
  wait_until 10 tells reload_ok "$since"
  place_orders 1
  wait_until 20 in_state "$(newest_order)" held
  cp "$root/etc/conversiond/conversiond.yaml" "$work/good.yaml"
  sed -i 's/poll_interval/poll_intervall/' "$root/etc/conversiond/conversiond.yaml"
  refuse inside 'systemctl reload conversiond' 2>"$work/reload.log"
  wait_until 10 tells reload_refused "$since"
  expect is_active
  cp "$work/good.yaml" "$root/etc/conversiond/conversiond.yaml"
  configure hold 0s
  inside 'conversiond reload' >/dev/null
  expect [ "$(property MainPID)" = "$pid" ]
  all_reported 60
}

restart() {
  local pid
  pid=$(property MainPID)
  place_orders 3
  inside 'systemctl restart conversiond'
  refuse [ "$(property MainPID)" = "$pid" ]
  all_reported 60
}

# An order for a person, and the commands of the README's daily life, each as it stands there.
daily_commands() {
  local command commands=0 words
  sql shop "INSERT INTO orders (id, customer_email, total_cents, currency, status) VALUES (1042, 'friend899@example.com', 5000, 'USD', 'paid')"
  wait_until 20 in_state 1042 review
  while read -r command; do
    words=$(inside "${command/FILE//root/ledger-backup}" 2>&1) || [ $? = 1 ] || { say "$command: $words" >&2; return 1; }
    [ -n "$words" ] || [[ $command == systemctl* ]] || { say "$command says nothing" >&2; return 1; }
    commands=$((commands + 1))
  done < <(awk '/^## /{ on = $0 == "## Daily life" } on' README.md | grep -E '^ {4}[a-z]' | sed -E 's/^ +//; s/ +#.*//')
  expect grep -q 'other_currency' <(inside 'conversiond queue show 1042')
  expect grep -q '1042' <(inside 'journalctl -q -o cat CONVERSIOND_ORDER=1042')
  inside 'conversiond queue discard 1042 --reason trial --yes' >/dev/null
  shown="$commands commands"
}

# Each query of the journal that the manual pages and the README name.
journal_queries() {
  local query queries=0 words
  while read -r query; do
    # An event that this life does not have: the query finds nothing, and its name must be one that the manual explains.
    if [[ $query =~ CONVERSIOND_EVENT=([a-z_]+) ]] && ! inside "$query -q -n 1" 2>/dev/null | found .; then
      expect grep -q "^.fB${BASH_REMATCH[1]}.fR" deploy/man/conversiond-troubleshooting.7
      queries=$((queries + 1))
      continue
    fi
    words=$(inside "$query --no-pager -n 20 2>&1") || { say "$query: $words" >&2; return 1; }
    [[ -n $words && $words != *"No entries"* ]] || { say "$query finds nothing" >&2; return 1; }
    queries=$((queries + 1))
  done < <(cat README.md deploy/man/* | sed 's/\\-/-/g; s/\\fB/\n/g; s/\\f[RPI]/\n/g; s/`/\n/g; s/ \{2,\}#.*//' \
    | sed -nE 's/^ *(journalctl( [^ ].*)?)$/\1/p' | sed "s/…/1/; s/ORDER$/1/" | sort -u | grep -v -- ' -f')
  shown="$queries queries"
}

# kill_again COUNT: dead in the moment that it is ready again.
kill_again() {
  local pid
  place_orders 10
  for _ in $(seq "$1"); do
    pid=$(property MainPID)
    inside 'pkill -KILL -x conversiond'
    wait_until 20 has_another_process "$pid"
  done
  all_reported 60
  expect [ "$(property NRestarts)" -ge "$1" ]
  shown="$(property NRestarts) restarts"
}
# A process that was just killed is none, and no other one: 0 is read for it.
has_another_process() {
  local present
  present=$(property MainPID)
  [ "$present" != 0 ] && [ "$present" != "$1" ] && is_active
}

watchdog_fires() {
  local since pid
  since=$(now)
  # The container's /run is not the folder's.
  inside 'mkdir -p /run/systemd/system/conversiond.service.d
    printf "[Service]\nWatchdogSec=4\nTimeoutAbortSec=3\n" >/run/systemd/system/conversiond.service.d/watchdog.conf
    systemctl daemon-reload; systemctl restart conversiond'
  place_orders 1
  sleep 5
  expect is_active
  pid=$(property MainPID)
  inside 'pkill -STOP -x conversiond'
  wait_until 40 has_another_process "$pid"
  inside "journalctl -q --since @$since -u conversiond" | found 'Watchdog timeout'
  inside 'rm -r /run/systemd/system/conversiond.service.d; systemctl daemon-reload; systemctl restart conversiond'
  all_reported 60
}

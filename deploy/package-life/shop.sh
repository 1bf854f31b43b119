# The daemon's two neighbours on the host of deploy/try-package: a shop in PostgreSQL, and the sandbox in place of the API.
# An order of ID n is friend n's, over 1000 + n cents: so each report can be told from every other.

key=oft_0123456789abcdef0123456789abcdef
other_key=oft_fedcba9876543210fedcba9876543210

# sql DATABASE STATEMENT
sql() { inside "runuser -u postgres -- psql -X -q -At -v ON_ERROR_STOP=1 -d $1 -c \"$2\""; }

# make_shop DATABASE
make_shop() {
  sql postgres "CREATE DATABASE $1 ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
  sql "$1" "CREATE TABLE orders (id bigint PRIMARY KEY, customer_email text, total_cents bigint, currency text, status text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON orders (updated_at); CREATE INDEX ON orders (created_at)"
}

# place_orders COUNT [DATABASE [FIRST]]: paid orders, each of a friend who bought nothing before.
place_orders() {
  sql "${2:-shop}" "INSERT INTO orders (id, customer_email, total_cents, currency, status)
    SELECT n, 'friend' || n || '@example.com', 1000 + n, 'EUR', 'paid'
    FROM (SELECT coalesce(max(id), ${3:-1} - 1) AS newest FROM orders WHERE id BETWEEN ${3:-1} AND ${3:-1} + 900) o,
      generate_series(newest + 1, newest + $1) n"
}

# The sandbox is a unit of its own, of a copy of the program: it stays through every upgrade and removal.
make_sandbox() {
  install -D -m 755 "$work/unpacked/usr/bin/conversiond" "$root/srv/offertown"
  {
    printf '{"referrals":['
    local n
    for n in $(seq 900) $(seq 5001 5060); do
      printf '{"referralId":"r%d","referralCode":"code%04d","status":"pending","createdAt":%d,' "$n" "$n" $((($(date +%s) - 86400) * 1000))
      printf '"friendEmail":"friend%d@example.com","friendName":"Friend","referrerIdentifier":"cust"},' "$n"
    done | sed 's/,$//'
    printf ']}'
  } >"$root/srv/referrals.json"
  cat >"$root/etc/systemd/system/offertown.service" <<UNIT
[Service]
ExecStart=/srv/offertown sandbox --port 8480 --seed /srv/referrals.json --no-limits --key \${KEY}
EnvironmentFile=/srv/key
StandardOutput=append:/srv/requests.log
[Install]
WantedBy=multi-user.target
UNIT
  echo "KEY=$key" >"$root/srv/key"
  inside 'systemctl daemon-reload; systemctl enable -q --now offertown'
  wait_until 10 sandbox state -o /dev/null
}

# sandbox PATH [OPTION OF curl...]: the sandbox's own control, beside the API.
sandbox() { local path=$1; shift; nsenter -t "$init_pid" -n curl -sSf --max-time 10 "http://127.0.0.1:8480/_sandbox/$path" "$@" 2>/dev/null; }
order_fault() { sandbox faults -o /dev/null -d "$1"; }

# Keeps the API's memory over a stop of the host that it stands on here, and nowhere else.
keep_sandbox() {
  sandbox state -o "$root/srv/state.json"
  inside "sqlite3 :memory: \"SELECT json_object('referrals', json_group_array(json_remove(value, '$.conversionMetadata')))
    FROM json_each(readfile('/srv/state.json'), '$.referrals')\"" >"$root/srv/new.json"
  mv "$root/srv/new.json" "$root/srv/referrals.json"
}

# Each report that the API has, and each that it must have, a line: order and cents.
conversions() {
  sandbox state -o "$root/srv/state.json" || return 1
  inside "sqlite3 -separator ' ' :memory: \"SELECT json_extract(value, '$.externalTransactionId'), json_extract(value, '$.conversionValue')
    FROM json_each(readfile('/srv/state.json'), '$.referrals') WHERE json_extract(value, '$.status') = 'converted'\"" | sort
}
due_conversions() {
  local database
  for database in $(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE 'shop%'"); do
    sql "$database" "SELECT id || ' ' || total_cents FROM orders WHERE status = 'paid' AND currency = 'EUR'"
  done | sort
}
is_all_reported() { [ "$(conversions)" = "$(due_conversions)" ]; }
# all_reported [SECONDS]: each order that is due is reported, once, with its own amount, and nothing else is.
all_reported() {
  wait_until "${1:-30}" is_all_reported || { diff <(due_conversions) <(conversions) | head -5 >&2; return 1; }
  reported=$(conversions | wc -l)
}

# The daemon, as its unit and its commands show it.
property() { inside "systemctl show -P $1 ${2:-conversiond}"; }
is_active() { [ "$(property ActiveState "${1:-conversiond}")" = active ]; }
# in_state ORDER STATE
in_state() { inside "conversiond --json queue list --state ALL" 2>/dev/null | grep -F "\"order\":\"$1\"" | found -F "\"state\":\"$2\""; }
# tells EVENT [SINCE [UNIT]]: the journal has the event since a time, in seconds.
tells() { [ -n "$(inside "journalctl -q -o cat CONVERSIOND_EVENT=$1 _SYSTEMD_UNIT=${3:-conversiond}.service --since @${2:-0}")" ]; }
status_says() { [[ $(property StatusText) == *"$1"* ]]; }
now() { date +%s; }
# configure KEY VALUE...: a setting of the example, with or without its #.
configure() {
  local file=$root/etc/conversiond/${3:-conversiond}.yaml
  sed -i -E "s|^( *)#?$1:( .*)?\$|\\1$1: $2|" "$file"
  grep -qE "^ *$1: $2\$" "$file"
}

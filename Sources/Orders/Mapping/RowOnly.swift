import Postgres

/// Judges whether an expression's value can change only together with its row: then row versions tell of it.
///
/// A list of what is allowed, as what changes by itself is endless: the time in its many spellings, the words that
/// PostgreSQL folds into a time of today, settings, other tables, functions that promise too much.
struct RowOnly: Sendable {
  /// Columns of the table, each with whether it holds a date or time.
  let columns: [String: Bool]
  /// Names of the table in expressions.
  let aliases: Set<String>

  /// The first thing in an expression that isn't known to depend on the row alone; nil for none.
  func stranger(in sql: String) -> String? {
    var walk = Walk(SQLTokens(sql).tokens, self)
    while !walk.isAtEnd { if let stranger = walk.step() { return stranger } }
    return nil
  }

  /// The functions and operators that an expression uses, to be looked up in the catalog.
  static func used(in sql: String) -> (functions: Set<String>, operators: Set<String>) {
    let tokens = SQLTokens(sql).tokens
    var functions: Set<String> = []
    var operators: Set<String> = []
    for (index, token) in tokens.enumerated() {
      if case .symbol(let symbol) = token { operators.insert(symbol) }
      if case .name(let name, _) = token, index + 1 < tokens.count, tokens[index + 1] == .mark("(") {
        functions.insert(name)
      }
    }
    return (functions, operators)
  }

  /// The first thing in a condition whose value changes as time goes by; nil for none.
  static func time(in tokens: some Sequence<SQLTokens.Token>) -> String? {
    for token in tokens {
      switch token {
      case .name(let name, isQuoted: false) where clocks.contains(name): return name
      case .string(let text):
        if let word = text.wholeMatch(of: /\s*(now|today|tomorrow|yesterday)\b.*/.ignoresCase()) {
          return "'\(word.1)'"
        }
      default: continue
      }
    }
    return nil
  }

  private static let clocks: Set = [
    "now", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "statement_timestamp",
    "transaction_timestamp", "clock_timestamp", "timeofday", "age",
  ]

  static let functions: Set = [
    "coalesce", "nullif", "greatest", "least", "lower", "upper", "trim", "btrim", "ltrim", "rtrim", "abs", "round",
    "floor", "ceil", "ceiling", "trunc", "length", "char_length", "left", "right", "substr", "replace", "split_part",
    "strpos", "md5",
  ]
  private static let words: Set = [
    "and", "or", "not", "in", "is", "null", "true", "false", "unknown", "distinct", "from", "between", "symmetric",
    "case", "when", "then", "else", "end", "like", "ilike", "any", "some", "all", "array", "both", "leading",
    "trailing", "escape", "cast",
  ]
  private static let operators: Set = [
    "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "->", "->>", "#>", "#>>", "@>", "<@", "?",
    "~", "~*", "!~", "!~*", "~~", "!~~",
  ]
  /// Types whose values depend on nothing but what is cast.
  private static let types: Set = [
    "text", "varchar", "char", "character", "bpchar", "citext", "int", "int2", "int4", "int8", "integer", "smallint",
    "bigint", "numeric", "decimal", "real", "float", "float4", "float8", "double", "boolean", "bool", "uuid", "json",
    "jsonb", "bytea",
  ]
  static let times: Set = ["timestamptz", "timestamp", "date", "time", "interval", "timetz"]
  /// Words that PostgreSQL takes for a time of its own in a literal (its manual, table 8.13).
  private static var folded: Regex<Substring> { /\b(?:now|today|tomorrow|yesterday)\b/.ignoresCase() }

  /// One walk over an expression's tokens.
  private struct Walk {
    private let tokens: [SQLTokens.Token]
    private let rules: RowOnly
    private var index = 0

    init(_ tokens: [SQLTokens.Token], _ rules: RowOnly) { (self.tokens, self.rules) = (tokens, rules) }

    var isAtEnd: Bool { index >= tokens.count }

    private func token(_ offset: Int) -> SQLTokens.Token? {
      tokens.indices.contains(index + offset) ? tokens[index + offset] : nil
    }

    mutating func step() -> String? {
      defer { index += 1 }
      switch tokens[index] {
      case .number: return nil
      case .mark(let mark): return mark == ";" ? ";" : nil
      case .opaque(let text): return String(text.prefix(20))
      case .symbol("::"): return cast()
      case .symbol(let symbol): return RowOnly.operators.contains(symbol) ? nil : symbol
      case .string(let text):
        if case .string = token(-1) { return "a literal in two parts" }
        return text.firstMatch(of: RowOnly.folded).map { "'\($0.output)'" }
      case .name(let name, let isQuoted): return self.name(name, isQuoted)
      }
    }

    private mutating func name(_ name: String, _ isQuoted: Bool) -> String? {
      if !isQuoted {
        if name == "as" { return cast() }
        if token(1) == .mark("("), !RowOnly.words.contains(name) {
          return RowOnly.functions.contains(name) ? nil : "the function \(name)"
        }
        if RowOnly.words.contains(name) { return nil }
        if name == "at", token(1) == .name("time", isQuoted: false), token(2) == .name("zone", isQuoted: false) {
          index += 2
          return nil
        }
        // A literal with its type in front: date '2026-01-01'.
        if RowOnly.times.contains(name), case .string? = token(1) { return nil }
      } else if token(1) == .mark("(") {
        return "the function \(name)"
      }
      if rules.aliases.contains(name), token(1) == .mark("."), case .name(let column, _)? = token(2),
        rules.columns[column] != nil, token(3) != .mark("(")
      {
        index += 2
        return nil
      }
      return rules.columns[name] != nil ? nil : name
    }

    /// Of dates and times only a literal or a column of such a type may be cast to one: a text may hold any word.
    private mutating func cast() -> String? {
      guard case .name(let type, false)? = token(1) else { return "a cast" }
      let source = token(-1)
      index += 1
      if type == "double" || type == "character" || RowOnly.times.contains(type) { skipWords() }
      if RowOnly.types.contains(type) { return nil }
      guard RowOnly.times.contains(type) else { return "a cast to \(type)" }
      switch source {
      case .string: return nil
      case .name(let column, _) where rules.columns[column] == true: return nil
      default: return "a cast to \(type)"
      }
    }

    /// Passes over `precision`, `varying`, `with time zone` behind a type's name, and over a number in parentheses.
    private mutating func skipWords() {
      let more: Set = ["precision", "varying", "with", "without", "time", "zone"]
      if token(1) == .mark("("), token(2) == .number, token(3) == .mark(")") { index += 3 }
      while case .name(let word, false)? = token(1), more.contains(word) { index += 1 }
    }
  }
}

extension RowOnly {
  /// The rules for one table, called by its own name or by an alias.
  init(table oid: UInt32, from: String, in transaction: PostgresTransaction) throws {
    let rows = try transaction.query(
      """
      SELECT attname, (atttypid IN (1082, 1114, 1184))::int::text FROM pg_attribute
      WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
      """, [PostgresParameter(Int64(oid))])
    columns = Dictionary(
      try (0..<rows.count).map { (try rows.text($0, 0) ?? "", try rows.text($0, 1) == "1") }, uniquingKeysWith: { $1 })
    let names = SQLTokens(from).tokens.compactMap { token in if case .name(let name, _) = token { name } else { nil } }
    aliases = Set(names)
  }

  /// A function or operator of the same name that is no built-in one, and not promised to depend on nothing else.
  static func override(of sql: [String], in transaction: PostgresTransaction) throws -> String? {
    let used = sql.map { Self.used(in: $0) }
    let functions = used.reduce(into: Set<String>()) { $0.formUnion($1.functions) }
    let operators = used.reduce(into: Set<String>()) { $0.formUnion($1.operators) }
    let rows = try transaction.query(
      """
      SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.provolatile <> 'i'
      AND p.pronamespace <> 'pg_catalog'::regnamespace AND (p.proname = ANY ($1::text[]) OR p.oid IN
        (SELECT oprcode FROM pg_operator WHERE oprname = ANY ($2::text[])
          AND oprnamespace <> 'pg_catalog'::regnamespace)) LIMIT 1
      """, [PostgresParameter(array: functions.sorted()), PostgresParameter(array: operators.sorted())])
    return rows.count == 0 ? nil : try rows.text(0, 0)
  }
}

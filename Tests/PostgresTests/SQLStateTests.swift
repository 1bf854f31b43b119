import Postgres
import Testing

@Suite struct SQLStateTests {
  @Test(arguments: [
    ("08006", SQLState.Kind.unreachable), ("57P01", .unreachable), ("57P03", .unreachable), ("53300", .unreachable),
    ("28P01", .permission), ("28000", .permission), ("42501", .permission),
    ("42703", .mapping), ("42P01", .mapping), ("42601", .mapping), ("3F000", .mapping), ("0A000", .mapping),
    ("57014", .transient), ("55P03", .transient), ("40001", .transient), ("40P01", .transient), ("53100", .transient),
    ("22P02", .data), ("22021", .data), ("22012", .data), ("21000", .data), ("P0001", .data), ("XX001", .data),
    ("25006", .other), ("ZZ999", .other),
  ])
  func eachCodeHasItsKind(code: String, kind: SQLState.Kind) {
    #expect(SQLState(rawValue: code).kind == kind)
  }
}

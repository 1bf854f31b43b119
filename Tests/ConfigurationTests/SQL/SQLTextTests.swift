import Testing

@testable import Configuration

@Suite struct SQLTextTests {
  @Test(arguments: [
    "id", "o.id::text", "lower(email)", "data ->> 'a;b'", "E'a\\'; b'", "$$ ; ) $$", "$a$ $$ ; $a$", "\"odd;name\"",
    "coalesce(a, b)", "a[1]", "'it''s'", "a /* ; /* ) */ ' */ + b", "a -- ; )\n + b", "x.order$1", "cast(a AS text)",
    "a IS DISTINCT FROM b", "a - -1", "B'01'", "(SELECT max(x) FROM y)", "naïve", "U&'d\\0061'",
    "E'a'\n 'b\\' ; '", "CASE WHEN a THEN 'x' END",
  ])
  func goodExpressions(text: String) {
    #expect(SQLText.mistake(in: text, place: .expression) == nil)
  }

  @Test(arguments: [
    ("", "empty; write an SQL expression"), (" -- \n /* x */ ", "empty; write an SQL expression"),
    ("a; DROP TABLE b", "this SQL cannot be used: a ; would end the query"),
    ("(a; b)", "this SQL cannot be used: a ; would end the query"),
    (
      "a) FROM x --",
      "this SQL cannot be used: ends in a -- comment, which would hide what follows it in the query; use /* … */"
    ),
    (
      "a -- why\n ",
      "this SQL cannot be used: ends in a -- comment, which would hide what follows it in the query; use /* … */"
    ),
    ("a)", "this SQL cannot be used: a ) closes nothing"), ("(a]", "this SQL cannot be used: a ] closes nothing"),
    ("f(a", "this SQL cannot be used: a ( is not closed"),
    ("'a", "this SQL cannot be used: a text in '…' does not end"),
    ("E'a\\'", "this SQL cannot be used: a text in '…' does not end"),
    ("e'a\\\\\\'", "this SQL cannot be used: a text in '…' does not end"),
    ("\"a", "this SQL cannot be used: a name in \"…\" does not end"),
    ("$x$ a $y$", "this SQL cannot be used: a text in $…$ does not end"),
    ("a /* /* */", "this SQL cannot be used: a comment /* … */ does not end"),
    ("$1", "this SQL cannot be used: it has no parameters such as $1"),
    ("a\0b", "holds a NUL, which PostgreSQL cannot read"),
    ("a, b", "two expressions where one belongs: a comma stands outside parentheses"),
    ("a AS b", "leave out AS and the name after it"),
    ("order", "order is a word of SQL; for a column of that name keep SQL's quotes inside YAML's: '\"order\"'"),
  ])
  func badExpressions(text: String, expected: String) {
    #expect(SQLText.mistake(in: text, place: .expression) == expected)
  }

  @Test(
    arguments: [
      ("public.orders", nil), ("a, b", nil), ("a LEFT JOIN LATERAL (SELECT 1 WHERE true ORDER BY 1) x ON true", nil),
      ("", "empty; name a table"), ("orders WHERE paid", "a FROM clause only; put the condition under orders.where"),
      ("FROM orders", "leave out the word FROM"),
      ("SELECT * FROM orders", "put a sub-select in parentheses, with a name after it"),
      ("a UNION SELECT 1", "a FROM clause only; UNION has no place in it (a view can hold it)"),
      ("order", "order is a word of SQL; for a table of that name keep SQL's quotes inside YAML's: '\"order\"'"),
      (
        "orders -- x",
        "this SQL cannot be used: ends in a -- comment, which would hide what follows it in the query; use /* … */"
      ),
    ] as [(String, String?)])
  func fromClauses(text: String, expected: String?) {
    #expect(SQLText.mistake(in: text, place: .fromClause) == expected)
  }

  @Test func aCurrencyThatLostItsQuotes() {
    let advice = "EUR would be a column called eur; for the currency itself keep SQL's quotes inside YAML's: \"'EUR'\""
    for text in ["currency: 'EUR'", "currency: EUR", "currency: \"EUR\""] {
      #expect(Sample.said(column: text) == [advice])
    }
    for text in ["currency: \"'EUR'\"", "currency: '''EUR'''", "currency: eur", "currency: upper(currency_code)"] {
      #expect(Sample.said(column: text).isEmpty)
    }
  }

  @Test func aColumnThatLostItsQuotesIsWarnedOf() {
    let warning =
      "without quotes of SQL's own, createdAt names the column createdat; for a column with capitals write '\"createdAt\"'"
    #expect(Sample.said(column: "placed_at: \"createdAt\"") == ["warning: \(warning)"])
    #expect(Sample.said(column: "placed_at: '\"createdAt\"'").isEmpty)
  }
}

import Testing

@Suite struct UnknownKeyTests {
  @Test(arguments: [
    ("api:\n  timout: 5s\n", "2:3: unknown key \"timout\" in api; did you mean \"timeout\"?"),
    ("api:\n  baseURL: x\n", "2:3: unknown key \"baseURL\" in api; did you mean \"base_url\"?"),
    ("api:\n  base-url: x\n", "2:3: unknown key \"base-url\" in api; did you mean \"base_url\"?"),
    ("api:\n  poll_interval: 5s\n", "2:3: unknown key \"poll_interval\" in api; it belongs under orders:"),
    ("poll_interval: 5s\n", "1:1: unknown key \"poll_interval\"; it belongs under orders:"),
    (
      "log:\n  pol_interval: 5s\n",
      "2:3: unknown key \"pol_interval\" in log; did you mean \"poll_interval\" under orders:?"
    ),
    ("log:\n  zzzzzzzz: 5s\n", "2:3: unknown key \"zzzzzzzz\" in log; known here: level, emails"),
    ("logs:\n  level: info\n", "1:1: unknown key \"logs\"; did you mean \"log\"?"),
    (
      "api:\n  key: oft_x\n", "2:3: unknown key \"key\" in api; the API key has a file of its own, which key_file names"
    ),
    (
      "api.timeout: 5s\n",
      "1:1: unknown key \"api.timeout\"; known here: orders, matching, reporting, api, ledger, log, metrics"
    ),
  ])
  func aGuessIsMade(text: String, expected: String) {
    #expect(Sample.said(after: text) == [expected])
  }

  @Test func whatIsShownCannotForgeOrLeak() {
    let escaped = Sample.said(after: "log:\n  \"a\\e[31m\\nb\": 1\n")
    #expect(escaped == ["2:3: unknown key \"a\\u{1b}[31m\\u{a}b\" in log; known here: level, emails"])
    let key = "oft_0123456789abcdef0123456789abcdef"
    let lines = Sample.said(after: "api:\n  key_file: \(key)\n  \(key): 1\n  timeout: \(key)\nlog:\n  level: \(key)\n")
    #expect(lines.count == 4 && !lines.joined().contains("0123"))
  }
}

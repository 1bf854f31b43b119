import Configuration
import Testing

@Suite struct YAMLRulesTests {
  @Test(arguments: ["", "\n\n", "# only a comment\n", "---\n", "null\n", "~"])
  func anEmptyFileIsSaidToBeEmpty(text: String) {
    #expect(Sample.said(text) == ["c.yaml:1:1: the file is empty; give at least orders: and what is below it"])
  }

  @Test func aRootThatIsNoMappingIsRefused() {
    let advice = "is no configuration; write sections such as orders: with keys below them"
    #expect(Sample.said("# x\n- a\n- b\n") == ["c.yaml:2:1: a list \(advice)"])
    #expect(Sample.said("hello") == ["c.yaml:1:1: hello \(advice)"])
  }

  @Test func anchorsAliasesMergeKeysAndTagsAreRefused() {
    let refused = "anchors (&name) and aliases (*name) are not read here; write the value out"
    #expect(
      Sample.said(after: "api:\n  timeout: &t 5s\nlog: &l {level: info}\n") == ["2:12: \(refused)", "3:6: \(refused)"])
    #expect(Sample.said(after: "api:\n  timeout: *t\n") == ["2:12: \(refused), in quotes if it begins with *"])
    #expect(
      Sample.said(after: "api:\n  <<: {timeout: 5s}\n  timeout: 7s\n") == [
        "2:3: merge keys (<<) are not read here; write the keys out"
      ])
    #expect(
      Sample.said(after: "api:\n  timeout: !secret 5s\n") == ["2:12: tags (!name) are not read here; leave it out"])
    #expect(Sample.said(after: "api: !!omap {timeout: 5s}\n") == ["1:6: tags (!name) are not read here; leave it out"])
  }

  @Test func anAliasBombEndsAtOnce() {
    var text = "a0: &a0 [x,x]\n"
    for level in 1..<40 { text += "a\(level): &a\(level) [*a\(level - 1),*a\(level - 1)]\n" }
    #expect(Sample.said(after: text).count >= 40)
  }

  @Test func aRepeatedKeyIsNamedWithItsFirstPlace() {
    #expect(
      Sample.said(after: "api:\n  timeout: 5s\n  \"timeout\": 6s\n  reads_per_minute: -1\n") == [
        "2:3: timeout is given more than once; its first place is here"
      ])
    #expect(Sample.said(after: "? [a]\n: 1\n? [a]\n: 2\n").count == 1)
  }

  @Test func aSecondDocumentIsRefused() {
    #expect(
      Sample.said(after: "---\nlog: {}\n") == [
        "1:1: a second document begins here (---); a configuration is one document"
      ])
  }

  @Test(arguments: [
    ("api:\n\ttimeout: 5s\n", "2:1: a tab cannot indent YAML; use spaces"),
    (
      "orders2: {a: b\n",
      "2:1: not valid YAML: did not find expected ',' or '}' while parsing a flow mapping that begins at 9:10"
    ),
    (
      "log:\n  level: a: b\n",
      "2:11: not valid YAML: mapping values are not allowed in this context"
        + "; a value with a colon and a space in it needs quotes, or a | and a block below"
    ),
    (
      "log:\n  level: @x\n",
      "2:10: not valid YAML: found character that cannot start any token while scanning for the next token"
        + " that begins at 10:10; a value that begins with * & ! % @ or ` needs quotes"
    ),
    (
      "log:\n  level: \"order\" o\n",
      "2:18: not valid YAML: did not find expected key while parsing a block mapping that begins at 10:3"
        + "; a value that begins with a quote ends at the next one: put all of it in quotes of the other kind"
    ),
  ])
  func brokenSyntaxHasItsPlace(text: String, expected: String) {
    #expect(Sample.said(after: text) == [expected])
  }

  @Test func deepNestingIsRefused() {
    let brackets = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(Sample.said(after: "x: \(brackets)\n").contains { $0.hasSuffix(": nested too deeply") })
    let endless = String(repeating: "[", count: 500_000)
    #expect(Sample.said(after: "x: \(endless)\n").contains { $0.hasSuffix(": nested too deeply") })
    let dashes = String(repeating: "- ", count: 200_000)
    #expect(Sample.said(after: "x:\n  \(dashes)\n").contains { $0.hasSuffix(": nested too deeply") })
  }

  @Test func aByteOrderMarkAndWindowsLinesAreTaken() throws {
    let text = "\u{FEFF}" + Sample.full.split(separator: "\n").joined(separator: "\r\n")
    #expect(try ConfigurationReader.read(text: text, name: "c").get().configuration == Sample.fullConfiguration)
    let broken = text.replacing("poll_interval: 5s", with: "poll_interval: 5")
    #expect(Sample.said(broken).first?.hasPrefix("c.yaml:22:18: 5 is not a duration") == true)
  }

  @Test func columnsCountSignsNotBytes() {
    #expect(Sample.said(after: "log: {\"é€😀\": 1, level: x}\n").last?.hasPrefix("1:24: x is not one of") == true)
  }

  @Test func controlCharactersAreRefusedWithTheirPlace() {
    #expect(Sample.said("orders:\n  from: a\u{7}b\n") == ["c.yaml:2:10: the control character U+0007 is not allowed"])
    #expect(Sample.said("\u{FEFF}or\0ders:\n") == ["c.yaml:1:3: the control character U+0000 is not allowed"])
  }

  @Test func nullIsTakenOnlyWhereItMeansSomething() {
    for null in ["null", "~", "", "Null", "NULL"] {
      #expect(Sample.configuration("metrics:\n  listen: \(null)\n")?.metrics.listen == nil)
      #expect(
        Sample.said(after: "api:\n  timeout: \(null)\n").map { $0.split(separator: ": ")[1] } == [
          "null is not a duration; write a whole number and ms, s, m, h or d, such as 5s"
        ])
    }
    #expect(Sample.said(orders: "notify_channel: \"null\"").isEmpty)
    #expect(Sample.said(orders: "key: null").isEmpty)
    #expect(Sample.said(orders: "from: null") == ["null is not a table or a FROM clause"])
    #expect(Sample.said(column: "id:") == ["null is not an SQL expression"])
  }
}

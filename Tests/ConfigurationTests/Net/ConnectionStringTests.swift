import Testing

@testable import Configuration

@Suite struct ConnectionStringTests {
  @Test(arguments: [
    "", "dbname=shop", "host=/var/run/postgresql", "host=localhost", "host=127.0.0.1", "host=127.9.9.9", "host='::1'",
    "host = db.example.com sslmode = verify-full", "host=db sslmode='require'", "host=db sslmode=verify-ca",
    "host=db.example.com hostaddr=127.0.0.1", "host=/a,localhost port=1,2", "service=shop", "service=shop host=db",
    "host=db gssencmode=require", "user=o\\'neil dbname='a \\' b'", "postgresql://", "postgres:///shop?host=/run",
    "postgresql://u@%2Fvar%2Frun/shop", "postgresql://u@[::1]:5432,127.0.0.1/shop", "postgresql://db/x?ssl=true",
    "postgresql://db:1,db2:2/x?sslmode=verify-full", "host=@abstract", "passfile=/a host=localhost",
    "host=db sslmode=disable sslmode=require", "postgresql://db/x?host=/run/pg", "host='' hostaddr=''",
  ])
  func taken(text: String) {
    #expect(ConnectionRules.mistakes(in: text) == [])
  }

  @Test(arguments: [
    "host=db.example.com", "host=10.0.0.1 sslmode=prefer", "host=db sslmode=allow", "host=db sslmode=disable",
    "host=/run,db.example.com", "host=localhost hostaddr=10.0.0.1", "hostaddr=10.0.0.1", "postgresql://u@db/shop",
    "postgresql://localhost,db/shop", "postgresql:///shop?host=db", "postgresql://db/x?sslmode=prefer",
    "postgresql://[fe80::1]/x", "host=127.0.0.1.example.com", "host=localhost.example.com", "host=127.1",
    "service=shop host=db sslmode=disable", "postgresql://a@db?user=x@localhost", "host='\\d\\b'",
    "postgresql://u:p@localhost@db/x?password=",
  ])
  func plainAndRemote(text: String) {
    let mistakes = ConnectionRules.mistakes(in: text)
    #expect(mistakes.last?.contains("that anybody on the way can read") == true, "\(mistakes)")
  }

  @Test(arguments: [
    "password=hunter2", "host=/run password = 'hunter2'", "postgresql://u:hunter2@/shop", "sslpassword=hunter2",
    "postgresql:///shop?password=hunter2", "postgresql://u:hunter%32@localhost/shop",
  ])
  func secrets(text: String) {
    let mistakes = ConnectionRules.mistakes(in: text)
    #expect(mistakes.count == 1 && mistakes[0].hasPrefix("holds a secret"))
  }

  @Test(arguments: [
    ("shop", "character 1: a keyword and = are missing, as in host=db.example.com"),
    ("password=my hunter2", "character 13: a keyword and = are missing, as in host=db.example.com"),
    ("=x", "character 1: a keyword and = are missing, as in host=db.example.com"),
    ("hots=hunter2", "character 1: libpq knows no such keyword; did you mean \"host\"?"),
    ("password=a hunter2=b", "character 12: libpq knows no such keyword"),
    ("dbname='shop", "character 8: a quoted value does not end"),
    ("postgresql://[::1/x", "a [ before an address has no ]"), ("postgresql://[::1]x/", "after ] comes : and a port"),
    ("postgresql://h/x?sslmode", "a parameter after ? needs one =, as in sslmode=require"),
    ("postgresql://h/%zz", "a % is not followed by two hexadecimal digits"),
    ("postgresql://h/%00", "%00 has no place in a connection string"),
  ])
  func malformed(text: String, expected: String) {
    #expect(ConnectionRules.mistakes(in: text) == ["not a connection string of libpq: \(expected)"])
  }

  @Test func anUnknownModeIsRefused() {
    #expect(
      ConnectionRules.mistakes(in: "host=db sslmode=on") == [
        "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full"
      ])
  }

  @Test func neverAWordOfThePassword() {
    for text in ["password=hunter2 x", "postgresql://u:hunter2@h/%", "host=db password=hunter2", "pasword=hunter2"] {
      let said = Sample.said(orders: "connection: '\(text)'")
      #expect(!said.isEmpty && !said.joined().contains("hunter2"), "\(said)")
    }
  }
}

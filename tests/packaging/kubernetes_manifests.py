#!/usr/bin/env python3
"""Checks the manifests of a file against Kubernetes' own schemas, strictly, and prints the ConfigMap's keystay.toml.

  kubernetes_manifests.py FILE VERSION    the Python package kubernetes-validate has the schemas
"""

import sys

import kubernetes_validate
import yaml

path, version = sys.argv[1:]
configuration = None
with open(path, encoding="utf-8") as file:
    manifests = list(yaml.safe_load_all(file))
for manifest in manifests:
    kubernetes_validate.validate(manifest, version, strict=True)
    if manifest["kind"] == "ConfigMap":
        configuration = manifest["data"]["keystay.toml"]
if configuration is None:
    sys.exit(f"{path}: there is no ConfigMap")
print(configuration)
